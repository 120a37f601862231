import type { DataOf, Sequence, Tenant } from '../../events/index.ts';
import { reviseReward, type Filing, type RewardRecorded, type RewardWeights } from '../reward/reward.ts';
import { filingOf } from './filing.ts';
import { revisionLimit, type Ledger } from './ledger.ts';
import { crowdedOut, keyOf, type Feedback } from './pending-feedback.ts';

/** What actors ask of a ledger. Nothing here changes it. */
export type FeedbackVerdict =
  | { readonly kind: 'revise'; readonly data: RewardRecorded }
  /** It will never become a revision. */
  | { readonly kind: 'reject'; readonly reason: RejectionReason }
  /** The request has no reward yet, or other feedback for it comes first: ask again when the log has gone on. */
  | { readonly kind: 'wait' }
  /** No such request, or one that was forgotten. */
  | { readonly kind: 'unknown' }
  /** Its consequence is in the log. */
  | { readonly kind: 'settled' };

export type RejectionReason = DataOf<'feedback.rejected'>['reason'];

export type FeedbackTerms = {
  readonly weights: RewardWeights;
  /** Feedback may come so long before its request. */
  readonly requestWaitMs: number;
  /** And so long after it. */
  readonly maxAgeMs: number;
};

/** What becomes of feedback that has been folded. The event that follows must name it as its cause: that is how the ledger knows that it is settled. */
export const decideFeedback = (ledger: Ledger, event: Feedback, terms: FeedbackTerms): FeedbackVerdict => {
  if (!ledger.feedback.byId.has(event.id)) return { kind: 'settled' };
  const known = ledger.requests.get(keyOf(event.tenant, event.correlationid));
  if (known === undefined) return { kind: 'unknown' };
  if (!isNext(ledger, event)) return { kind: 'wait' };
  if (known.counted.some(({ feedbackId }) => feedbackId === event.data.feedbackId)) return { kind: 'reject', reason: 'repeated' };
  const ageMs = Date.parse(event.time) - known.begunAtMs;
  if (ageMs < -terms.requestWaitMs) return { kind: 'reject', reason: 'unknown-request' };
  if (ageMs > terms.maxAgeMs) return { kind: 'reject', reason: 'too-late' };
  if (known.reward === null) return known.outcomeSequence === null ? { kind: 'wait' } : { kind: 'reject', reason: 'unrewarded' };
  if (known.reward.revision >= revisionLimit) return { kind: 'reject', reason: 'too-many' };
  return { kind: 'revise', data: reviseReward(known.reward, event.data, terms.weights) };
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
  readonly filing: Filing;
};

/** Decisions made before a moment that have no outcome, the oldest first. */
export const openDecisions = (ledger: Ledger, options: { readonly beforeMs: number; readonly limit: number }): readonly OpenDecision[] =>
  ledger.open
    .values()
    .filter((event) => Date.parse(event.time) < options.beforeMs)
    .take(options.limit)
    .map((event) => {
      const { arm, model, host, retryable, streamed, deadline } = event.data;
      return {
        tenant: event.tenant,
        requestId: event.correlationid,
        decisionId: event.id,
        arm,
        model,
        host,
        retryable,
        streamed,
        decidedAtMs: Date.parse(event.time),
        deadlineMs: Date.parse(deadline),
        filing: filingOf(event),
      };
    })
    .toArray();

export type WaitingFeedback = {
  /** The next of each request that has ended. What waits for its request to end is left out, so that it cannot crowd out the rest. */
  readonly ready: readonly Feedback[];
  /** The next of each request that is not known. */
  readonly strays: readonly Feedback[];
  /** To be rejected for want of room. */
  readonly crowdedOut: readonly Feedback[];
};

/** Feedback received before a moment about which something can be done now, the oldest first, so much of each kind at most. */
export const waitingFeedback = (
  ledger: Ledger,
  options: { readonly beforeMs: number; readonly limit: number; readonly skip: (eventId: string) => boolean },
): WaitingFeedback => {
  const ready: Feedback[] = [];
  const strays: Feedback[] = [];
  for (const event of ledger.feedback.byId.values()) {
    if (ready.length >= options.limit && strays.length >= options.limit) break;
    const known = ledger.requests.get(keyOf(event.tenant, event.correlationid));
    const list = known === undefined ? strays : ready;
    if (list.length >= options.limit || (known !== undefined && known.outcomeSequence === null && known.reward === null)) continue;
    if (Date.parse(event.time) < options.beforeMs && isNext(ledger, event) && !options.skip(event.id)) list.push(event);
  }
  return { ready, strays, crowdedOut: crowdedOut(ledger.feedback).slice(0, options.limit) };
};

/** Feedback of one request is judged in the order of the log. */
const isNext = (ledger: Ledger, event: Feedback): boolean =>
  ledger.feedback.byRequest.get(keyOf(event.tenant, event.correlationid))?.[0]?.id === event.id;
