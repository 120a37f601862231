import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { privateEnvironment } from '../config/private-environment.ts';
import type { ConfigInput } from '../config/schema.ts';
import { PermanentError } from '../errors.ts';
import { readRun } from '../processes/run-file.ts';

/**
 * A yard of its own: all its real processes, started by `switchyard up` in a new temporary folder on free ports, so that it neither disturbs nor needs
 * a running one. When this process dies, however it dies, the yard stops by itself: the channel between them closes.
 */
export type PrivateYard = {
  readonly folder: string;
  readonly configFile: string;
  readonly natsUrl: string;
  readonly httpUrl: string;
  readonly sqlUrl: string;
  /** Stops the processes; the folder is removed unless it is to be kept. */
  readonly stop: (options?: { readonly keep?: boolean }) => Promise<void>;
};

/** The configuration as a file holds it: what has a default may be left out. Folder and ports are set here. */
export type YardConfig = Omit<ConfigInput, 'dataDir' | 'clickhouse'>;

const entry = path.join(import.meta.dirname, '..', 'cli', 'main.ts');
const readyTimeoutMs = 120_000;
const stopPatienceMs = 60_000;
const lookEveryMs = 50;
const tailCharacters = 2_000;

export const startPrivateYard = async (name: string, config: YardConfig, signal: AbortSignal): Promise<PrivateYard> => {
  const folder = mkdtempSync(path.join(tmpdir(), `switchyard-${name}-`));
  const dataDir = path.join(folder, 'data');
  const files = { config: path.join(folder, 'switchyard.yaml'), log: path.join(folder, 'yard.log') };
  const sweep = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  // JSON is YAML.
  writeFileSync(files.config, `${JSON.stringify(withOwnPlace(config), null, 2)}\n`);
  const log = openSync(files.log, 'a');
  const child = fork(entry, ['up', '--config', files.config], {
    env: privateEnvironment(files.config),
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  process.once('exit', sweep);

  const stop = async ({ keep = false } = {}) => {
    await end(child);
    process.off('exit', sweep);
    if (!keep) sweep();
  };
  try {
    const untilMs = Date.now() + readyTimeoutMs;
    for (;;) {
      signal.throwIfAborted();
      const run = readRun(dataDir);
      if (run?.httpUrl && run.sqlUrl)
        return { folder, configFile: files.config, natsUrl: run.natsUrl, httpUrl: run.httpUrl, sqlUrl: run.sqlUrl, stop };
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > untilMs)
        throw new PermanentError(
          'yard-not-started',
          `expected the yard to be ready within ${readyTimeoutMs / 1_000} s, but it ${child.exitCode === null ? 'was not' : 'ended'}:\n${tailOf(files.log)}`,
        );
      await sleep(lookEveryMs);
    }
  } catch (error) {
    await stop();
    throw error;
  }
};

const withOwnPlace = (config: YardConfig): ConfigInput => ({
  logLevel: 'warn',
  // It is there to be counted and measured: nothing happens in it that was not asked for.
  shadow: { share: 0 },
  ...config,
  dataDir: './data',
  http: { ...config.http, host: '127.0.0.1', port: 0 },
  nats: { host: '127.0.0.1', port: 0 },
  clickhouse: { host: '127.0.0.1', port: 0 },
});

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = Promise.withResolvers<void>();
  child.once('exit', () => {
    exited.resolve();
  });
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  await exited.promise;
  clearTimeout(hard);
};

const tailOf = (file: string): string => readFileSync(file, 'utf8').slice(-tailCharacters);
