import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import type { BusConfig } from '../../src/bus/bus-config.ts';
import { openBus, type BusSettings } from '../../src/bus/jetstream/connect.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { Config } from '../../src/config/schema.ts';
import { findNatsServer, startNatsServer, type NatsServer } from '../../src/processes/nats-server.ts';
import { settlePort } from '../../src/processes/free-port.ts';
import { isAlive } from '../../src/processes/run-file.ts';
import { eventually } from './eventually.ts';

/** A real nats-server with a folder of its own, for one test file. */
export type TestNats = {
  readonly url: string;
  readonly kill9: () => Promise<void>;
  /** On the same port and store, after `kill9`. */
  readonly restart: () => Promise<void>;
  /** Stops the process without ending it, as a machine that hangs. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => void;
  /** Ends the server and removes its folder. */
  readonly stop: () => Promise<void>;
};

export const startTestNats = async (options: { readonly durability?: Config['log']['durability'] } = {}): Promise<TestNats> => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'switchyard-nats-'));
  const start = (port: number): Promise<NatsServer> =>
    startNatsServer({ binary: findNatsServer(), dataDir, port, durability: options.durability ?? 'os', readyTimeoutMs: 20_000 });
  const port = await settlePort('127.0.0.1', 0);
  let server = await start(port);
  const { url } = server;
  return {
    url,
    kill9: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    restart: async () => {
      server = await start(port);
    },
    freeze: async () => {
      process.kill(server.pid, 'SIGSTOP');
      // The signal takes effect later than the call returns: its threads stop one after the other.
      await eventually(() => execFileSync('ps', ['-o', 'state=', '-p', String(server.pid)], { encoding: 'utf8' }).startsWith('T'));
    },
    thaw: () => process.kill(server.pid, 'SIGCONT'),
    stop: async () => {
      if (isAlive(server.pid)) process.kill(server.pid, 'SIGCONT');
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Limits small enough for tests: an acknowledgement wait of one second, three deliveries. Appends wait as long as on a busy machine they may have to. */
export const testBusConfig: BusConfig = {
  log: { maxAgeDays: 1, maxBytes: 1024 ** 3, duplicateWindowSeconds: 120, replicas: 1, appendTimeoutMs: 10_000 },
  requests: {
    queueBytes: 64 * 1024 ** 2,
    queueAgeSeconds: 600,
    ackWaitSeconds: 1,
    maxDeliveries: 3,
    answersKeptSeconds: 60,
    answersKeptBytes: 64 * 1024 ** 2,
  },
};

/** As patient with the server as the product is by default: only tests of servers that fall silent ask more often. */
export const connectTestBus = (url: string, settings: Partial<BusSettings> = {}): Promise<Bus> =>
  openBus({
    url,
    name: 'test',
    pingIntervalMs: 5_000,
    config: testBusConfig,
    logger: pino({ level: process.env.TEST_LOG ?? 'silent' }),
    ...settings,
  });
