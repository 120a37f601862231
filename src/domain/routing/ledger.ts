import type { EventOf, Sequence, SwitchyardEvent, Tenant } from '../../events/index.ts';
import type { StandingReward } from '../reward/reward.ts';
import { addFeedback, noPendingFeedback, removeFeedback, type PendingFeedback } from './pending-feedback.ts';
import { createRing, type Ring } from './ring.ts';

/**
 * What the log says of each recent request: what it began with, whether it has ended, its reward as it stands, the feedback that waits. A fold of the log in constant time
 * for each event, and bounded: the requests that ended first are forgotten first, open ones only when there are no others.
 *
 * 1. A request has one beginning and one outcome; feedback of one id counts once.
 * 2. Feedback becomes revisions in the order of the log, so that all routers propose the same; the last score stands.
 * 3. An event that was folded before changes nothing.
 */
export type Ledger = {
  readonly limit: number;
  /** By tenant and request id. */
  readonly requests: Map<string, LedgerEntry>;
  /** Decisions without outcome, in the order of the log. */
  readonly open: Map<string, EventOf<'route.decided'>>;
  /** Keys of the requests that have ended, in the order of the log. */
  readonly ended: Ring<string>;
  /** Also that of requests that are not known. */
  readonly feedback: PendingFeedback;
  /** Requests that were forgotten to make room. */
  forgotten: number;
};

export type LedgerEntry = {
  /** Of the decision, the hit of the cache, or the failure of a request that no arm could take. */
  readonly sequence: Sequence;
  outcomeSequence: Sequence | null;
  reward: StandingReward | null;
  /** Ids of the feedback that became revisions. */
  feedbackIds: readonly string[];
};

/** So often one request can be judged anew. */
export const revisionLimit = 100;

export const emptyLedger = (limit: number): Ledger => ({
  limit,
  requests: new Map(),
  open: new Map(),
  ended: createRing(),
  feedback: noPendingFeedback(limit),
  forgotten: 0,
});

/** Folds one event in place. */
export const evolveLedger = (ledger: Ledger, event: SwitchyardEvent, at: Sequence): Ledger => {
  const key = keyOf(event.tenant, event.correlationid);
  switch (event.type) {
    case 'route.decided':
      if (begin(ledger, key, at) !== null) ledger.open.set(key, event);
      break;
    case 'cache.hit':
      if (begin(ledger, key, at) !== null) ledger.ended.push(key);
      break;
    case 'response.completed':
    case 'response.failed':
      end(ledger, key, at);
      break;
    case 'reward.recorded':
      reward(ledger, key, event);
      break;
    case 'feedback.received':
      receive(ledger, key, event);
      break;
    case 'cache.stored':
    case 'policy.activated':
      break;
  }
  return ledger;
};

export const keyOf = (tenant: Tenant, requestId: string): string => `${tenant}:${requestId}`;

/** Null when the request is known already. */
const begin = (ledger: Ledger, key: string, at: Sequence): LedgerEntry | null => {
  if (ledger.requests.has(key)) return null;
  if (ledger.requests.size >= ledger.limit) forgetOne(ledger);
  const entry: LedgerEntry = { sequence: at, outcomeSequence: null, reward: null, feedbackIds: [] };
  ledger.requests.set(key, entry);
  return entry;
};

const end = (ledger: Ledger, key: string, at: Sequence): void => {
  // A request that no arm could take begins with its failure; so does, for this ledger, one whose decision lies before the log that was read.
  const begun = begin(ledger, key, at);
  if (begun !== null || ledger.open.delete(key)) ledger.ended.push(key);
  const entry = begun ?? ledger.requests.get(key);
  if (entry !== undefined) entry.outcomeSequence ??= at;
};

const reward = (ledger: Ledger, key: string, event: EventOf<'reward.recorded'>): void => {
  const { arm, model, revision, parts, cause, evidence } = event.data;
  const entry = ledger.requests.get(key);
  const before = entry?.reward ?? null;
  if (before !== null && revision <= before.revision) return;
  const applied = cause === 'feedback' && event.causationid !== undefined ? ledger.feedback.byId.get(event.causationid) : undefined;
  if (applied !== undefined) removeFeedback(ledger.feedback, key, applied);
  if (entry === undefined) return;
  entry.reward = { arm, model, revision, parts, counts: before?.counts ?? evidence.trials === 1 };
  if (applied !== undefined) entry.feedbackIds = [...entry.feedbackIds, applied.data.feedbackId];
};

const receive = (ledger: Ledger, key: string, event: EventOf<'feedback.received'>): void => {
  const entry = ledger.requests.get(key);
  const waiting = ledger.feedback.byRequest.get(key) ?? [];
  const { feedbackId } = event.data;
  if (entry?.feedbackIds.includes(feedbackId) === true || waiting.some(({ data }) => data.feedbackId === feedbackId)) return;
  if (waiting.length + (entry?.reward?.revision ?? 0) >= revisionLimit) ledger.feedback.dropped++;
  else addFeedback(ledger.feedback, key, event, (other) => ledger.requests.has(other));
};

const forgetOne = (ledger: Ledger): void => {
  const key = ledger.ended.shift() ?? ledger.open.keys().next().value;
  if (key === undefined) return;
  ledger.requests.delete(key);
  ledger.open.delete(key);
  ledger.forgotten++;
};
