import type { EventOf } from '../../events/index.ts';

/**
 * Feedback without a consequence yet, in the order of the log. More than `limit` is too much: the oldest of it is `crowdedOut`, and leaves when its rejection is in the
 * log. Should that not come either, twice the limit is kept at most; what is dropped then is counted, and found in the log when the ledger is built again.
 */
export type Feedback = EventOf<'feedback.received'>;

export type PendingFeedback = {
  readonly limit: number;
  /** By event id. */
  readonly byId: Map<string, Feedback>;
  /** By request, the first to be judged first. */
  readonly byRequest: Map<string, Feedback[]>;
  dropped: number;
};

export const noPendingFeedback = (limit: number): PendingFeedback => ({ limit, byId: new Map(), byRequest: new Map(), dropped: 0 });

export const addFeedback = (pending: PendingFeedback, event: Feedback): void => {
  const { limit, byId, byRequest } = pending;
  const key = keyOf(event.tenant, event.correlationid);
  const waiting = byRequest.get(key);
  if (waiting === undefined) byRequest.set(key, [event]);
  else waiting.push(event);
  byId.set(event.id, event);
  if (byId.size <= 2 * limit) return;
  const [oldest] = byId.values();
  if (oldest === undefined) return;
  removeFeedback(pending, oldest.id);
  pending.dropped++;
};

export const removeFeedback = ({ byId, byRequest }: PendingFeedback, eventId: string): void => {
  const event = byId.get(eventId);
  if (event === undefined) return;
  byId.delete(eventId);
  const key = keyOf(event.tenant, event.correlationid);
  const left = (byRequest.get(key) ?? []).filter(({ id }) => id !== eventId);
  if (left.length === 0) byRequest.delete(key);
  else byRequest.set(key, left);
};

export const crowdedOut = ({ limit, byId }: PendingFeedback): readonly Feedback[] =>
  byId
    .values()
    .take(Math.max(0, byId.size - limit))
    .toArray();

/** Of a request, in all maps. */
export const keyOf = (tenant: string, requestId: string): string => `${tenant}:${requestId}`;
