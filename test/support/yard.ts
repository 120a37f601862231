import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { stringify } from 'yaml';
import { loadSettings } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/settings.ts';
import { up, type RunningYard } from '../../src/processes/up.ts';
import { eventually } from './eventually.ts';

/**
 * The real yard for one test file: real processes, a real nats-server, the real engine, on free ports of the loopback and in a folder of its own.
 */
export type TestYard = {
  readonly settings: Settings;
  readonly httpUrl: string;
  readonly natsUrl: string;
  readonly sqlUrl: string;
  readonly pid: (name: 'nats' | 'worker' | 'projector') => number;
  /** Ends a process at once; it is started again by the yard. */
  readonly kill9: (name: 'nats' | 'worker' | 'projector') => void;
  readonly ready: () => Promise<void>;
  readonly close: () => Promise<void>;
};

type Overrides = Readonly<Record<string, unknown>>;

/** Three simulated models that answer fast, so that a test is about the yard. */
const simulated = (id: string, quality: number, seed: number) => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 5, p95: 15 },
    tokensPerSecond: 5_000,
    answerTokens: { median: 20, p95: 60 },
    quality,
    seed,
  },
  price: { inputUsdPerMillionTokens: 0.1 * seed, outputUsdPerMillionTokens: 0.4 * seed },
  contextTokens: 100_000,
});

const testConfig = {
  logLevel: 'warn',
  http: { port: 0 },
  nats: { port: 0 },
  clickhouse: { port: 0 },
  models: [simulated('sim-a', 0.9, 1), simulated('sim-b', 0.6, 2), simulated('sim-c', 0.3, 3)],
  arms: [
    { id: 'a', model: 'sim-a' },
    { id: 'b', model: 'sim-b' },
    { id: 'c', model: 'sim-c' },
  ],
  tenants: [{ id: 'default' }, { id: 'acme' }],
  // Tests count events; those that are about shadows say so.
  shadow: { share: 0 },
};

export const writeConfig = (folder: string, overrides: Overrides = {}): string => {
  const file = path.join(folder, 'switchyard.yaml');
  writeFileSync(file, stringify({ ...testConfig, dataDir: path.join(folder, 'data'), ...overrides }));
  return file;
};

export const startTestYard = async (overrides: Overrides = {}, options: { readonly roles?: string } = {}): Promise<TestYard> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-test-'));
  const settings = loadSettings({ file: writeConfig(folder, overrides) });
  const logger = pino({ level: settings.config.logLevel });
  const running: RunningYard = await up(settings, { logger, ...options });
  const pid = (name: 'nats' | 'worker' | 'projector') => {
    const id = running.pids()[name];
    if (id === undefined) throw new Error(`${name} does not run`);
    return id;
  };
  const { httpUrl, sqlUrl, natsUrl } = running.run;
  if (httpUrl === null || sqlUrl === null) throw new Error('expected a yard with HTTP and SQL');
  return {
    settings,
    httpUrl,
    natsUrl,
    sqlUrl,
    pid,
    kill9: (name) => {
      process.kill(pid(name), 'SIGKILL');
    },
    ready: async () => {
      await eventually(async () => (await fetch(`${httpUrl}/readyz`)).status === 200, { what: 'the yard to be ready' });
    },
    close: async () => {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
