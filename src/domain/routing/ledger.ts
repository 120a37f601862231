import type { EventOf, Sequence, SwitchyardEvent, Tenant } from '../../events/index.ts';
import type { StandingReward } from '../reward/reward.ts';
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
  /** Feedback that has not become a revision yet, by event id, in the order of the log; also that of requests that are not known. */
  readonly pendingFeedback: Map<string, EventOf<'feedback.received'>>;
  /** The same by request. */
  readonly waiting: Map<string, readonly EventOf<'feedback.received'>[]>;
  /** Requests that were forgotten to make room. */
  forgotten: number;
  /** Feedback that was forgotten to make room or because its request did not come, or refused as one too many. */
  feedbackDropped: number;
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
/** So much later than feedback whose request is not known other feedback may come before the first is given up. */
const unmatchedMs = 900_000;

export const emptyLedger = (limit: number): Ledger => ({
  limit,
  requests: new Map(),
  open: new Map(),
  ended: createRing(),
  pendingFeedback: new Map(),
  waiting: new Map(),
  forgotten: 0,
  feedbackDropped: 0,
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
  const known = ledger.requests.get(key);
  if (known !== undefined && known.outcomeSequence !== null) return;
  // A request that no arm could take begins with its failure; so does, for this ledger, one whose decision lies before the log that was read.
  if (known === undefined || ledger.open.delete(key)) ledger.ended.push(key);
  const entry = known ?? begin(ledger, key, at);
  if (entry !== null) entry.outcomeSequence = at;
};

const reward = (ledger: Ledger, key: string, event: EventOf<'reward.recorded'>): void => {
  const entry = ledger.requests.get(key);
  const { arm, model, revision, parts, cause, evidence } = event.data;
  const answered = cause === 'feedback' && event.causationid !== undefined ? ledger.pendingFeedback.get(event.causationid) : undefined;
  if (answered !== undefined) forgetFeedback(ledger, answered);
  if (entry === undefined || (entry.reward !== null && revision <= entry.reward.revision)) return;
  entry.reward = { arm, model, revision, parts, counts: entry.reward?.counts ?? evidence.trials === 1 };
  if (answered !== undefined) entry.feedbackIds = [...entry.feedbackIds, answered.data.feedbackId];
};

const receive = (ledger: Ledger, key: string, event: EventOf<'feedback.received'>): void => {
  const entry = ledger.requests.get(key);
  const waiting = ledger.waiting.get(key) ?? [];
  const { feedbackId } = event.data;
  if (entry?.feedbackIds.includes(feedbackId) === true || waiting.some(({ data }) => data.feedbackId === feedbackId)) return;
  if (waiting.length + (entry?.reward?.revision ?? 0) >= revisionLimit) {
    ledger.feedbackDropped++;
    return;
  }
  ledger.waiting.set(key, [...waiting, event]);
  ledger.pendingFeedback.set(event.id, event);
  for (const oldest of ledger.pendingFeedback.values()) {
    const unmatched = !ledger.requests.has(keyOf(oldest.tenant, oldest.correlationid));
    const late = Date.parse(event.time) - Date.parse(oldest.time) > unmatchedMs;
    if (ledger.pendingFeedback.size <= ledger.limit && !(unmatched && late)) break;
    forgetFeedback(ledger, oldest);
    ledger.feedbackDropped++;
  }
};

const forgetFeedback = (ledger: Ledger, event: EventOf<'feedback.received'>): void => {
  const key = keyOf(event.tenant, event.correlationid);
  const left = (ledger.waiting.get(key) ?? []).filter(({ id }) => id !== event.id);
  if (left.length === 0) ledger.waiting.delete(key);
  else ledger.waiting.set(key, left);
  ledger.pendingFeedback.delete(event.id);
};

const forgetOne = (ledger: Ledger): void => {
  const key = ledger.ended.shift() ?? ledger.open.keys().next().value;
  if (key === undefined) return;
  ledger.requests.delete(key);
  ledger.open.delete(key);
  ledger.forgotten++;
};
