import type { EventOf, Sequence, Tenant } from '../../events/index.ts';
import { reviseReward, type RewardRecorded, type RewardWeights } from '../reward/reward.ts';
import { keyOf, type Ledger } from './ledger.ts';

/** What actors ask of a ledger. Nothing here changes it. */
export type FeedbackVerdict =
  | { readonly kind: 'revise'; readonly data: RewardRecorded }
  /** The request has no reward yet, or other feedback for it comes first: ask again when the log has gone on. */
  | { readonly kind: 'wait' }
  /** No such request, or one that was forgotten. */
  | { readonly kind: 'unknown' }
  /** The request ended without a reward, which comes with the outcome or never: there is nothing to revise. */
  | { readonly kind: 'unrewarded' }
  /** It has become a revision, or was the repetition of an id, or one too many for this request. */
  | { readonly kind: 'already' };

/** What becomes of feedback that has been folded. The revision's event must name it as its cause: that is how the ledger knows that it has been applied. */
export const decideFeedback = (ledger: Ledger, event: EventOf<'feedback.received'>, weights: RewardWeights): FeedbackVerdict => {
  const key = keyOf(event.tenant, event.correlationid);
  const known = ledger.requests.get(key);
  if (known === undefined) return { kind: 'unknown' };
  if (!ledger.feedback.byId.has(event.id)) return { kind: 'already' };
  if (known.reward === null) return { kind: known.outcomeSequence === null ? 'wait' : 'unrewarded' };
  if (!isNext(ledger, key, event)) return { kind: 'wait' };
  return { kind: 'revise', data: reviseReward(known.reward, event.data.scoreMicro, weights) };
};

export type KnownRequest = { readonly decisionSequence: Sequence; readonly outcomeSequence: Sequence | null };

export const findRequest = (ledger: Ledger, tenant: Tenant, requestId: string): KnownRequest | null => {
  const known = ledger.requests.get(keyOf(tenant, requestId));
  return known === undefined ? null : { decisionSequence: known.sequence, outcomeSequence: known.outcomeSequence };
};

export type OpenDecision = {
  readonly tenant: Tenant;
  readonly requestId: string;
  readonly decisionId: string;
  readonly arm: string;
  readonly model: string;
  readonly host: string;
  readonly retryable: boolean;
  readonly streamed: boolean;
  readonly decidedAtMs: number;
  readonly deadlineMs: number;
};

/** Decisions made before a moment that have no outcome, the oldest first. */
export const openDecisions = (ledger: Ledger, options: { readonly beforeMs: number; readonly limit: number }): readonly OpenDecision[] =>
  ledger.open
    .values()
    .filter((event) => Date.parse(event.time) < options.beforeMs)
    .take(options.limit)
    .map(({ tenant, correlationid, id, time, data: { arm, model, host, retryable, streamed, deadline } }) => ({
      tenant,
      requestId: correlationid,
      decisionId: id,
      arm,
      model,
      host,
      retryable,
      streamed,
      decidedAtMs: Date.parse(time),
      deadlineMs: Date.parse(deadline),
    }))
    .toArray();

/**
 * Feedback received before a moment about which something can be done now, the oldest first: the next of each request that has a reward, and what is without a
 * request or reward to revise, unless it is skipped. What waits for its request to end is left out, so that it cannot crowd out the rest.
 */
export const waitingFeedback = (
  ledger: Ledger,
  options: { readonly beforeMs: number; readonly limit: number; readonly skip: (eventId: string) => boolean },
): readonly EventOf<'feedback.received'>[] =>
  ledger.feedback.byId
    .values()
    .filter((event) => Date.parse(event.time) < options.beforeMs)
    .filter((event) => {
      const key = keyOf(event.tenant, event.correlationid);
      const known = ledger.requests.get(key);
      if (known === undefined) return !options.skip(event.id);
      if (known.reward === null) return known.outcomeSequence !== null && !options.skip(event.id);
      return isNext(ledger, key, event);
    })
    .take(options.limit)
    .toArray();

/** Feedback of one request is applied in the order of the log. */
const isNext = (ledger: Ledger, key: string, event: EventOf<'feedback.received'>): boolean =>
  ledger.feedback.byRequest.get(key)?.[0]?.id === event.id;
