import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { settlePort } from '../../src/processes/free-port.ts';

/** A real engine that is spoken to over HTTP, for one test file. It can be killed and come back on the same port with the same data. */
export type TestClickhouseServer = {
  readonly url: string;
  readonly kill9: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const script = path.join(import.meta.dirname, 'clickhouse-server-process.ts');

export const startClickhouseServer = async (): Promise<TestClickhouseServer> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'switchyard-clickhouse-'));
  const start = async (port: string): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
    const child = fork(script, [folder, port], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [url] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error('the ClickHouse server of the test ended'))),
    ])) as [string];
    return { child, url };
  };
  const kill = async () => {
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const exited = once(running.child, 'exit');
    running.child.kill('SIGKILL');
    await exited;
  };
  const port = String(await settlePort('127.0.0.1', 0));
  let running = await start(port);
  const { url } = running;
  return {
    url,
    kill9: kill,
    restart: async () => {
      running = await start(port);
    },
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
