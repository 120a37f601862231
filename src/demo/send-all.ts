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
  let sent = 0;
  let latestMs = 0;
  let broken = false;

  const lane = async () => {
    while (next < count && !broken && signal?.aborted !== true) {
      const index = next++;
      let lateMs = 0;
      if (arrivals.kind === 'timed') {
        const waitMs = beganMs + arrivals.dueMs(index) - performance.now();
        if (waitMs > 0) await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
        if (isAborted(signal)) return;
        lateMs = Math.max(0, performance.now() - beganMs - arrivals.dueMs(index));
        latestMs = Math.max(latestMs, lateMs);
      }
      sent++;
      onSent?.({ lateMs });
      try {
        await send(index);
      } catch (error) {
        broken = true;
        throw error;
      }
    }
  };
  const lanes = Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
  await (signal === undefined ? lanes : untilDoneOrAborted(lanes, signal));
  return { sent, elapsedMs: performance.now() - beganMs, latestMs };
};

/** What is under way at an abort is left to whoever sends: an answer may take long. */
const untilDoneOrAborted = async (done: Promise<unknown>, signal: AbortSignal): Promise<void> => {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const onAbort = () => {
    resolve();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([done, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};

/** Read anew after an await: the compiler would take the value from before it. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;
