import { setTimeout as sleep } from 'node:timers/promises';
import type { Appended, EventLog } from '../bus/event-log.ts';
import { TransientError } from '../errors.ts';
import type { NonEmpty, SwitchyardEvent } from '../events/index.ts';
import type { Delivery } from './delivery.ts';

/**
 * Append, then act. What was appended is handed to the actors of this process at once. While the log is away an append is tried again with the same
 * id until `untilMs`: one that was stored although its acknowledgement got lost comes back as a duplicate.
 */
export type Appender = (
  events: NonEmpty<SwitchyardEvent>,
  options: { readonly idempotencyId: string; readonly untilMs: number; readonly signal?: AbortSignal },
) => Promise<Exclude<Appended, { kind: 'conflict' }>>;

const firstPauseMs = 50;
const longestPauseMs = 2_000;

export const createAppender = (log: EventLog, delivery: Delivery): Appender => {
  const once = async (events: NonEmpty<SwitchyardEvent>, idempotencyId: string) => {
    const appended = await log.append(events, { idempotencyId });
    if (appended.kind === 'conflict') throw new TypeError('a conflict was reported although nothing was expected');
    if (appended.kind === 'appended') delivery.appended({ kind: 'events', sequence: appended.sequence, storedAtMs: Date.now(), events });
    return appended;
  };

  return async (events, { idempotencyId, untilMs, signal }) => {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        return await once(events, idempotencyId);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        const waitMs = Math.max(pauseMs, error.retryAfterMs) * (0.5 + Math.random());
        if (signal?.aborted === true || Date.now() + waitMs > untilMs) throw error;
        await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      }
    }
  };
};
