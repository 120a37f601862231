import path from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

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

/** The mock provider as a process of its own; resolves when it can be asked. */
export const startMockProcess = async (): Promise<StartedProcess & { readonly url: string }> => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'mock-provider.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithThisProcess(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const { url } = JSON.parse(line) as { readonly url: string };
    return { url, stop: () => endProcess(child) };
  }
  throw new Error('the mock provider ended before it was ready');
};
