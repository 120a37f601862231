import { fork, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import { z } from 'zod';

/**
 * A process of the yard, kept alive: one that ends without being asked is started again, after a pause that doubles with each death before it was ready.
 * It says `ready` with its addresses over the IPC channel; when its parent dies the channel closes and it stops by itself (see shutdown.ts).
 */
export type Child = {
  readonly name: string;
  readonly pid: () => number | undefined;
  /** Resolves with the addresses at the first `ready`; rejects when the process ends with a fault of the user's before. */
  readonly ready: Promise<Addresses>;
  readonly stop: (patienceMs: number) => Promise<void>;
};

const readySchema = z.object({ type: z.literal('ready'), addresses: z.record(z.string(), z.string()) });
type Addresses = z.infer<typeof readySchema>['addresses'];

/** Exit status of a process whose configuration or surroundings are wrong: starting it again would not help. */
export const hopelessStatus = 78;

const firstPauseMs = 200;
const longestPauseMs = 10_000;
/** A process that was never ready is given up after so many tries. */
const earlyDeathsMax = 5;

export const keepAlive = (options: {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly onHopeless: (message: string) => void;
}): Child => {
  const logger = options.logger.child({ process: options.name });
  const first = Promise.withResolvers<Addresses>();
  let child: ChildProcess;
  let stopping = false;
  let wasReady = false;
  let earlyDeaths = 0;
  let deathsInARow = 0;
  let timer: NodeJS.Timeout | undefined;

  const start = () => {
    let isReady = false;
    child = fork(options.script, options.args, { env: options.env, stdio: ['ignore', 2, 2, 'ipc'] });
    child.on('message', (message) => {
      const ready = readySchema.safeParse(message);
      if (!ready.success) return;
      wasReady = true;
      isReady = true;
      first.resolve(ready.data.addresses);
    });
    child.on('exit', (status, signal) => {
      if (stopping) return;
      if (status === hopelessStatus) {
        const message = `the ${options.name} cannot start, see its message above`;
        first.reject(new Error(message));
        options.onHopeless(message);
        return;
      }
      if (!wasReady && ++earlyDeaths >= earlyDeathsMax) {
        const message = `the ${options.name} ended ${earlyDeaths} times before it was ready, see its messages above`;
        first.reject(new Error(message));
        options.onHopeless(message);
        return;
      }
      // One that became ready in this life does not die of its start.
      deathsInARow = isReady ? 1 : deathsInARow + 1;
      const pauseMs = Math.min(firstPauseMs * 2 ** (deathsInARow - 1), longestPauseMs);
      logger.error({ status, signal, pauseMs }, 'process ended; starting it again');
      timer = setTimeout(start, pauseMs);
    });
  };
  start();

  return {
    name: options.name,
    pid: () => child.pid,
    ready: first.promise,
    stop: async (patienceMs) => {
      stopping = true;
      clearTimeout(timer);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const { promise: exited, resolve } = Promise.withResolvers<void>();
      child.once('exit', () => {
        resolve();
      });
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await exited;
      clearTimeout(hard);
    },
  };
};
