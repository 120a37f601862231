import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { endProcess, endWithThisProcess, type StartedProcess } from './child-process.ts';
import type { WorkerSays, WorkerTask } from './replay-yard.ts';

/** Several processes that decide at the same time on one log. */
export type ReplayWorkers = StartedProcess & {
  /** Requests `from` to `to`, the end not included, divided among them; resolves with how many were not answered. */
  readonly ask: (from: number, to: number) => Promise<number>;
};

export const startReplayWorkers = async (natsUrl: string, names: readonly string[]): Promise<ReplayWorkers> => {
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map(endProcess));
  };
  try {
    for (const name of names) {
      const child = fork(path.join(import.meta.dirname, 'replay-worker.ts'), [natsUrl, name], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      endWithThisProcess(child);
      children.push(child);
      // One after the other: the first makes the streams and puts the policy in force.
      await heard(child, 'ready');
    }
    return {
      ask: async (from, to) => {
        const each = Math.ceil((to - from) / children.length);
        const failed = await Promise.all(
          children.map(async (child, i) => {
            const task: WorkerTask = { from: from + i * each, to: Math.min(from + (i + 1) * each, to) };
            const answer = heard(child, 'asked');
            child.send(task);
            return (await answer).failed;
          }),
        );
        return failed.reduce((sum, count) => sum + count, 0);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const heard = <Kind extends WorkerSays['kind']>(child: ChildProcess, kind: Kind): Promise<Extract<WorkerSays, { kind: Kind }>> =>
  new Promise((resolve, reject) => {
    const end = (code: number | null) => {
      reject(new Error(`expected a worker that says ${kind}, it ended with ${code ?? 'a signal'}`));
    };
    child.once('exit', end);
    child.once('message', (message) => {
      child.off('exit', end);
      resolve(message as Extract<WorkerSays, { kind: Kind }>);
    });
  });
