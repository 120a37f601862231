import { mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import path from 'node:path';
import pino, { type Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { environmentFor } from '../config/environment.ts';
import { PermanentError } from '../errors.ts';
import { keepAlive, type Child } from './child.ts';
import { settlePort } from './free-port.ts';
import { findNatsServer, startNatsServer, type NatsServer } from './nats-server.ts';
import { threadPoolSize } from './thread-pool.ts';
import { isAlive, readRun, removeRun, writeRun, type Run } from './run-file.ts';

/**
 * The whole yard on one machine: nats-server (unless the configuration names one), the projector and one worker, each a process of its own,
 * each started again when it dies. Resolves when all are ready; `close` stops them in the order in which they need each other.
 */
export type RunningYard = {
  readonly run: Run;
  /** Ids of the processes, for tests that end them. */
  readonly pids: () => Readonly<Record<'nats' | 'worker' | 'projector', number | undefined>>;
  readonly close: () => Promise<void>;
  /** Settles when the yard cannot go on. */
  readonly hopeless: Promise<string>;
};

const childPatienceMs = 30_000;
const projectorPatienceMs = 60_000;

export const up = async (settings: Settings, options: { readonly roles?: string; readonly logger?: Logger } = {}): Promise<RunningYard> => {
  const { config } = settings;
  const logger = options.logger ?? pino({ level: config.logLevel, base: { process: 'up' } });
  mkdirSync(config.dataDir, { recursive: true });
  takeOver(config.dataDir);

  const hopeless = Promise.withResolvers<string>();
  let run: Run | null = null;
  const onPid = (natsPid: number) => {
    if (run === null) return;
    run = { ...run, natsPid };
    writeRun(config.dataDir, run);
  };
  const nats = config.nats.url === undefined ? await keepNats(settings, logger, { onHopeless: hopeless.resolve, onPid }) : null;
  const natsUrl = nats?.url() ?? config.nats.url;
  if (natsUrl === undefined) throw new TypeError('a nats-server without an address');
  const env = environmentFor(settings, {
    natsUrl,
    httpPort: await settlePort(config.http.host, config.http.port),
    sqlPort: await settlePort(config.clickhouse.host, config.clickhouse.port),
  });

  const child = (name: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Child =>
    keepAlive({
      name,
      script: path.join(import.meta.dirname, `${name}.ts`),
      args,
      env: { ...env, ...more },
      logger,
      onHopeless: hopeless.resolve,
    });
  const projector = child('projector', [], { UV_THREADPOOL_SIZE: String(threadPoolSize) });
  const worker = child('worker', options.roles === undefined ? [] : [options.roles]);
  const close = async () => {
    await worker.stop(childPatienceMs);
    await projector.stop(projectorPatienceMs);
    await nats?.stop();
    removeRun(config.dataDir);
  };

  try {
    const [workerAddresses, projectorAddresses] = await Promise.all([worker.ready, projector.ready]);
    const begun: Run = {
      pid: process.pid,
      startedAt: new Date().toISOString(),
      natsUrl,
      natsPid: nats?.pid() ?? null,
      httpUrl: workerAddresses.http ?? null,
      sqlUrl: projectorAddresses.sql ?? null,
    };
    run = begun;
    writeRun(config.dataDir, begun);
    return {
      run: begun,
      pids: () => ({ nats: nats?.pid(), worker: worker.pid(), projector: projector.pid() }),
      close,
      hopeless: hopeless.promise,
    };
  } catch (error) {
    await close();
    throw new PermanentError('not-started', error instanceof Error ? error.message : String(error), { cause: error });
  }
};

/** Refuses a folder that another yard runs in, and forgets one that was killed. */
const takeOver = (dataDir: string) => {
  const left = readRun(dataDir);
  if (left === null) return;
  if (left.pid !== process.pid && isAlive(left.pid) && commandOf(left.pid).includes('node'))
    throw new PermanentError(
      'already-running',
      `expected a data folder that no other yard uses, but process ${left.pid} runs in ${dataDir} since ${left.startedAt}; stop it, or set SWITCHYARD_DATA_DIR to another folder`,
    );
  removeRun(dataDir);
};

/** Where the platform has no /proc the process id alone decides. */
const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return 'node';
  }
};

type KeptNats = { readonly url: () => string; readonly pid: () => number; readonly stop: () => Promise<void> };

const keepNats = async (
  settings: Settings,
  logger: Logger,
  { onHopeless, onPid }: { readonly onHopeless: (message: string) => void; readonly onPid: (pid: number) => void },
): Promise<KeptNats> => {
  const { config } = settings;
  const options = {
    binary: findNatsServer(),
    dataDir: path.join(config.dataDir, 'nats'),
    host: config.nats.host,
    durability: config.log.durability,
  };
  const port = await settlePort(config.nats.host, config.nats.port);
  let server: NatsServer = await startNatsServer({ ...options, port });
  let stopping = false;
  const watch = () => {
    void server.exited.then(async () => {
      for (let pauseMs = 200; !stopping; pauseMs = Math.min(2 * pauseMs, 10_000)) {
        logger.error({ pauseMs }, 'nats-server ended; starting it again');
        await sleep(pauseMs);
        try {
          server = await startNatsServer({ ...options, port });
          onPid(server.pid);
          watch();
          return;
        } catch (error) {
          if (error instanceof PermanentError) {
            onHopeless(error.message);
            return;
          }
          logger.error({ err: error }, 'nats-server did not start');
        }
      }
    });
  };
  watch();
  return {
    url: () => server.url,
    pid: () => server.pid,
    stop: async () => {
      stopping = true;
      await server.stop();
    },
  };
};
