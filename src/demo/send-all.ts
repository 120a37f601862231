import { setTimeout as sleep } from 'node:timers/promises';
import type { Arrivals } from './arrivals.ts';

/**
 * Sends requests 0 to count-1, each when it is due, never more than `concurrency` at a time. When all are busy the next ones are late,
 * and the lateness is told: a load generator that silently slowed down would flatter what it measures.
 */
export type SendAll = {
  readonly count: number;
  readonly arrivals: Arrivals;
  readonly concurrency: number;
  readonly send: (index: number) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly onSent?: (progress: { readonly lateMs: number }) => void;
};

export type SendingDone = {
  readonly sent: number;
  readonly elapsedMs: number;
  /** The latest that a request began after it was due, ms; 0 when nothing was timed. */
  readonly latestMs: number;
};

export const sendAll = async (options: SendAll): Promise<SendingDone> => {
  const { count, arrivals, concurrency, send, signal, onSent } = options;
  const beganMs = performance.now();
  let next = 0;
  let latestMs = 0;
  let broken = false;

  const lane = async () => {
    while (next < count && !broken && signal?.aborted !== true) {
      const index = next++;
      let lateMs = 0;
      if (arrivals.kind === 'timed') {
        const waitMs = beganMs + arrivals.dueMs(index) - performance.now();
        if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
        if (isAborted(signal)) {
          next--;
          return;
        }
        lateMs = Math.max(0, performance.now() - beganMs - arrivals.dueMs(index));
        latestMs = Math.max(latestMs, lateMs);
      }
      onSent?.({ lateMs });
      try {
        await send(index);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
  return { sent: next, elapsedMs: performance.now() - beganMs, latestMs };
};

/** Read anew after an await: the compiler would take the value from before it. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
