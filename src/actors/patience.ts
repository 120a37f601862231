import { setTimeout as sleep } from 'node:timers/promises';
import { TransientError } from '../errors.ts';

/**
 * Tries again while what fails is transient: after a pause that doubles, with jitter so that many do not come at once, until a moment in time. The last
 * error is thrown then; any other at once.
 */
const firstPauseMs = 50;
const longestPauseMs = 2_000;

export const withPatience = async <T>(
  task: () => Promise<T>,
  { untilMs, signal }: { readonly untilMs: number; readonly signal?: AbortSignal | undefined },
): Promise<T> => {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await task();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      const waitMs = Math.max(pauseMs, error.retryAfterMs) * (0.5 + Math.random());
      if (signal?.aborted === true || Date.now() + waitMs > untilMs) throw error;
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }
};
