import path from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ClickhouseAddress } from '../src/projections/clickhouse.ts';

/** A process that a benchmark starts and ends: by its own id, and with a bound on how long it may take to do either. */
export type StartedProcess = { readonly stop: () => Promise<void> };

const stopPatienceMs = 5_000;

/** When this process ends without having come to `endProcess`, the child ends with it. */
export const endWithThisProcess = (child: ChildProcess): void => {
  const kill = () => child.kill();
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
};

export const endProcess = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => {
    resolve();
  });
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
  await exited;
  clearTimeout(hard);
};

/** Runs a file of this folder as a process of its own; resolves with the first line that it prints, which says that it is ready. */
const start = async (file: string, ...rest: readonly string[]): Promise<StartedProcess & { readonly said: string }> => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, file), ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithThisProcess(child);
  for await (const said of createInterface({ input: child.stdout })) return { said, stop: () => endProcess(child) };
  throw new Error(`${file} ended before it was ready`);
};

/** The mock provider; resolves when it can be asked. */
export const startMockProcess = async (): Promise<StartedProcess & { readonly url: string }> => {
  const { said, stop } = await start('mock-provider.ts');
  const { url } = JSON.parse(said) as { readonly url: string };
  return { url, stop };
};

type ServerAddress = Extract<ClickhouseAddress, { kind: 'server' }>;

/** So many made-up decisions in ClickHouse; resolves when they can be read. */
export const startDecisions = async (count: number): Promise<StartedProcess & { readonly address: ServerAddress }> => {
  const { said, stop } = await start('decisions-process.ts', String(count));
  const { url, database } = JSON.parse(said) as { readonly url: string; readonly database: string };
  return { address: { kind: 'server', url, database }, stop };
};
