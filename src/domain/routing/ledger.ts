import type { EventOf, Sequence, SwitchyardEvent, Tenant } from '../../events/index.ts';
import { reviseReward, type RewardParts, type RewardRecorded, type RewardWeights } from '../reward/reward.ts';

/**
 * What the log says of each recent request: its decision, whether it ended, its reward as it stands, the feedback that waits. A fold of the log, bounded in
 * requests: the oldest closed ones are forgotten first, then the oldest of all. Constant time for each event.
 *
 * 1. A request has at most one decision and one outcome; feedback of one id counts once.
 * 2. Feedback is applied in the order of the log; the last applied score stands.
 */
export type Ledger = {
  readonly limit: number;
  /** By tenant and request id, in the order of first mention. */
  readonly requests: Map<string, LedgerEntry>;
  /** Keys of decisions without outcome, in the order of their decisions. */
  readonly open: Set<string>;
  /** Feedback that has not become a revision yet, by event id, in the order of the log. */
  readonly pendingFeedback: Map<string, EventOf<'feedback.received'>>;
  /** Requests that were forgotten to make room. */
  forgotten: number;
};

type LedgerEntry = {
  readonly decision: Decision | null;
  readonly outcomeSequence: Sequence | null;
  readonly reward: StandingReward | null;
};

type Decision = {
  readonly sequence: Sequence;
  /** Null where the request was answered from the cache or refused. */
  readonly event: EventOf<'route.decided'> | null;
};

type StandingReward = {
  readonly arm: string;
  readonly model: string;
  readonly revision: number;
  readonly parts: RewardParts;
  readonly counts: boolean;
  /** Event ids of the feedback that has been applied. */
  readonly applied: readonly string[];
};

export const emptyLedger = (limit: number): Ledger => ({
  limit,
  requests: new Map(),
  open: new Set(),
  pendingFeedback: new Map(),
  forgotten: 0,
});

/** Folds one event in place. */
export const evolveLedger = (ledger: Ledger, event: SwitchyardEvent, at: Sequence): Ledger => {
  const key = keyOf(event.tenant, event.correlationid);
  switch (event.type) {
    case 'route.decided':
      amend(ledger, key, { decision: { sequence: at, event } });
      if (ledger.requests.get(key)?.outcomeSequence === null) ledger.open.add(key);
      break;
    case 'cache.hit':
      amend(ledger, key, { decision: { sequence: at, event: null } });
      break;
    case 'response.completed':
    case 'response.failed': {
      const known = ledger.requests.get(key);
      // One that no arm could take has no decision: its failure stands in the place of one.
      amend(ledger, key, { outcomeSequence: at, ...(known?.decision == null ? { decision: { sequence: at, event: null } } : {}) });
      ledger.open.delete(key);
      break;
    }
    case 'reward.recorded': {
      const { arm, model, revision, parts, cause, evidence } = event.data;
      const before = ledger.requests.get(key)?.reward ?? null;
      if (before !== null && revision <= before.revision) break;
      const applied = before === null ? [] : before.applied;
      const feedback = cause === 'feedback' ? event.causationid : undefined;
      amend(ledger, key, {
        reward: {
          arm,
          model,
          revision,
          parts,
          counts: before?.counts ?? evidence.trials === 1,
          applied: feedback === undefined ? applied : [...applied, feedback],
        },
      });
      if (feedback !== undefined) ledger.pendingFeedback.delete(feedback);
      break;
    }
    case 'feedback.received':
      ledger.pendingFeedback.set(event.id, event);
      if (ledger.pendingFeedback.size > ledger.limit) forgetOldest(ledger.pendingFeedback);
      break;
    case 'cache.stored':
    case 'policy.activated':
      break;
  }
  makeRoom(ledger);
  return ledger;
};

export type FeedbackVerdict =
  | { readonly kind: 'revise'; readonly data: RewardRecorded }
  /** The request is known and has no reward yet. */
  | { readonly kind: 'wait' }
  /** No such request, or one that was forgotten. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'already' };

/** Feedback is applied by at most this many revisions of one request. */
const revisionLimit = 1_000;

export const decideFeedback = (ledger: Ledger, event: EventOf<'feedback.received'>, weights: RewardWeights): FeedbackVerdict => {
  const known = ledger.requests.get(keyOf(event.tenant, event.correlationid));
  if (known === undefined) return { kind: 'unknown' };
  if (known.reward === null) return { kind: 'wait' };
  const { arm, model, revision, parts, counts, applied } = known.reward;
  if (applied.includes(event.id) || revision >= revisionLimit) return { kind: 'already' };
  return { kind: 'revise', data: reviseReward({ arm, model, parts, revision, counts }, event.data.scoreMicro, weights) };
};

export type KnownRequest = { readonly decisionSequence: Sequence; readonly outcomeSequence: Sequence | null };

export const findRequest = (ledger: Ledger, tenant: Tenant, requestId: string): KnownRequest | null => {
  const known = ledger.requests.get(keyOf(tenant, requestId));
  return known?.decision == null ? null : { decisionSequence: known.decision.sequence, outcomeSequence: known.outcomeSequence };
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

/** Decisions before a moment that have no outcome, the oldest first. */
export const openDecisions = (ledger: Ledger, options: { readonly beforeMs: number; readonly limit: number }): readonly OpenDecision[] => {
  const found: OpenDecision[] = [];
  for (const key of ledger.open) {
    if (found.length >= options.limit) break;
    const event = ledger.requests.get(key)?.decision?.event;
    if (event == null) continue;
    const decidedAtMs = Date.parse(event.time);
    if (decidedAtMs >= options.beforeMs) continue;
    const { arm, model, host, retryable, streamed, deadline } = event.data;
    found.push({
      tenant: event.tenant,
      requestId: event.correlationid,
      decisionId: event.id,
      arm,
      model,
      host,
      retryable,
      streamed,
      decidedAtMs,
      deadlineMs: Date.parse(deadline),
    });
  }
  return found;
};

/** Feedback received before a moment that no revision has taken up, the oldest first; `skip` leaves out what is still without its request. */
export const waitingFeedback = (
  ledger: Ledger,
  options: { readonly beforeMs: number; readonly limit: number; readonly skip: (eventId: string) => boolean },
): readonly EventOf<'feedback.received'>[] => {
  const found: EventOf<'feedback.received'>[] = [];
  for (const event of ledger.pendingFeedback.values()) {
    if (found.length >= options.limit) break;
    if (Date.parse(event.time) >= options.beforeMs) continue;
    if (!ledger.requests.has(keyOf(event.tenant, event.correlationid)) && options.skip(event.id)) continue;
    found.push(event);
  }
  return found;
};

const keyOf = (tenant: Tenant, requestId: string) => `${tenant}:${requestId}`;

const blank: LedgerEntry = { decision: null, outcomeSequence: null, reward: null };

const amend = (ledger: Ledger, key: string, change: Partial<LedgerEntry>): void => {
  ledger.requests.set(key, { ...(ledger.requests.get(key) ?? blank), ...change });
};

/** Open decisions are looked over at most so far for a closed one to forget; they are few, and old ones are closed by the caretaker. */
const lookLimit = 64;

const makeRoom = (ledger: Ledger): void => {
  while (ledger.requests.size > ledger.limit) {
    let chosen: string | undefined;
    let looked = 0;
    for (const key of ledger.requests.keys()) {
      chosen ??= key;
      if (!ledger.open.has(key)) {
        chosen = key;
        break;
      }
      if (++looked >= lookLimit) break;
    }
    if (chosen === undefined) return;
    ledger.requests.delete(chosen);
    ledger.open.delete(chosen);
    ledger.forgotten++;
  }
};

const forgetOldest = (map: Map<string, unknown>): void => {
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
};
