import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino, { type Logger } from 'pino';
import type { Bus } from '../src/bus/bus.ts';
import { openBus } from '../src/bus/jetstream/connect.ts';
import { configSchema, type Config } from '../src/config/schema.ts';
import { atOnce } from '../src/demo/arrivals.ts';
import { sendAll } from '../src/demo/send-all.ts';
import type { NonEmpty, SwitchyardEvent } from '../src/events/index.ts';
import { findNatsServer, startNatsServer } from '../src/processes/nats-server.ts';
import { isAlive } from '../src/processes/run-file.ts';
import { readClickhouse, type Clickhouse } from '../src/projections/clickhouse.ts';
import { engineIn, requestTimeoutMs } from './engine.ts';

/** Single parts of the yard on a table of their own: a real nats-server and the real embedded engine in a new temporary folder, with the product's own defaults. */
export type Laboratory = {
  readonly bus: Bus;
  readonly natsUrl: string;
  readonly config: Config;
  readonly logger: Logger;
  /** A new database in the embedded engine, migrated. */
  readonly openDatabase: (name: string) => Promise<Clickhouse>;
  /** The same as everybody but the projector reads it: over the read-only interface, with its limits. */
  readonly openReader: (name: string) => Promise<Clickhouse>;
  readonly close: () => Promise<void>;
};

const inFlight = 256;

/** The product's own defaults; a yard must have a model. */
export const benchConfig = (): Config =>
  configSchema.parse({
    models: [
      {
        id: 'none',
        provider: { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 1, quality: 0 },
        price: { inputUsdPerMillionTokens: 0, outputUsdPerMillionTokens: 0 },
        contextTokens: 1,
      },
    ],
    arms: [{ id: 'none', model: 'none' }],
  });

export const openLaboratory = async (): Promise<Laboratory> => {
  const opened = new AsyncDisposableStack();
  try {
    const folder = opened.adopt(mkdtempSync(path.join(tmpdir(), 'switchyard-bench-')), (made) => {
      rmSync(made, { recursive: true, force: true });
    });
    const config = benchConfig();
    const logger = pino({ level: 'warn' }, pino.destination(2));
    const server = opened.adopt(
      await startNatsServer({ binary: findNatsServer(), dataDir: path.join(folder, 'nats'), port: 0, durability: config.log.durability }),
      (started) => started.stop(),
    );
    // For an end that does not come by here: the server is no child of a supervisor.
    const endServer = () => {
      if (isAlive(server.pid)) process.kill(server.pid);
    };
    process.once('exit', endServer);
    opened.defer(() => {
      process.off('exit', endServer);
    });
    const bus = opened.adopt(
      await openBus({ url: server.url, name: 'switchyard bench', pingIntervalMs: config.nats.pingIntervalMs, config, logger }),
      (open) => open.close(),
    );
    const engine = engineIn(folder, config);
    const openReader = async (name: string): Promise<Clickhouse> => {
      const served = await engine.serve(name);
      const reader = readClickhouse({ kind: 'server', url: served.url, database: name }, { requestTimeoutMs });
      return { ...reader, close: () => reader.close().finally(served.close) };
    };
    return { bus, natsUrl: server.url, config, logger, openDatabase: engine.openDatabase, openReader, close: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
};

/** Appends messages 0 to count-1, many in flight, behind `already` that are there. */
export const fillLog = async (
  { log }: Bus,
  count: number,
  message: (index: number) => NonEmpty<SwitchyardEvent>,
  signal: AbortSignal,
  already = 0,
): Promise<void> => {
  await sendAll({
    count,
    arrivals: atOnce,
    concurrency: inFlight,
    signal,
    send: async (index) => {
      await log.append(message(index), { idempotencyId: `bench:${already + index}` });
    },
  });
  signal.throwIfAborted();
};
