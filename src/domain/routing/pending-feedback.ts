import type { EventOf } from '../../events/index.ts';
import { createRing, type Ring } from './ring.ts';

/**
 * Feedback that has not become a revision yet, in the order of the log. Bounded in number; feedback whose request is not known is given up when feedback comes that is
 * so much younger. What is given up is counted.
 */
export type Feedback = EventOf<'feedback.received'>;

export type PendingFeedback = {
  readonly limit: number;
  /** By event id. */
  readonly byId: Map<string, Feedback>;
  /** By request, the first to be applied first. */
  readonly byRequest: Map<string, readonly Feedback[]>;
  /** Also holds what is pending no more, until it comes to the front. */
  readonly arrivals: Ring<{ readonly key: string; readonly event: Feedback }>;
  dropped: number;
};

const unmatchedMs = 900_000;

export const noPendingFeedback = (limit: number): PendingFeedback => ({
  limit,
  byId: new Map(),
  byRequest: new Map(),
  arrivals: createRing(),
  dropped: 0,
});

export const addFeedback = (pending: PendingFeedback, key: string, event: Feedback, isKnown: (key: string) => boolean): void => {
  pending.byRequest.set(key, [...(pending.byRequest.get(key) ?? []), event]);
  pending.byId.set(event.id, event);
  pending.arrivals.push({ key, event });
  giveUp(pending, Date.parse(event.time), isKnown);
};

export const removeFeedback = (pending: PendingFeedback, key: string, event: Feedback): void => {
  const left = (pending.byRequest.get(key) ?? []).filter(({ id }) => id !== event.id);
  if (left.length === 0) pending.byRequest.delete(key);
  else pending.byRequest.set(key, left);
  pending.byId.delete(event.id);
};

const giveUp = (pending: PendingFeedback, nowMs: number, isKnown: (key: string) => boolean): void => {
  const { limit, byId, arrivals } = pending;
  for (let oldest = arrivals.first(); oldest !== undefined; oldest = arrivals.first()) {
    const { key, event } = oldest;
    if (byId.has(event.id)) {
      const tooMany = byId.size > limit || arrivals.size() > 2 * limit;
      if (!tooMany && (isKnown(key) || nowMs - Date.parse(event.time) <= unmatchedMs)) return;
      removeFeedback(pending, key, event);
      pending.dropped++;
    }
    arrivals.shift();
  }
};
