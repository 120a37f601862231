import type { EventOf, Sequence, SwitchyardEvent } from '../../events/index.ts';
import type { StandingReward } from '../reward/reward.ts';
import { addFeedback, keyOf, noPendingFeedback, removeFeedback, type PendingFeedback } from './pending-feedback.ts';
import { createRing, type Ring } from './ring.ts';

/**
 * What the log says of each recent request: what it began with, whether it has ended, its reward as it stands, the feedback that waits. A fold of the log in constant time
 * for each event, and bounded: the requests that ended first are forgotten first, open ones only when there are no others.
 *
 * 1. A request has one beginning and one outcome; feedback of one id counts once.
 * 2. Feedback is judged in the order of the log, so that all routers propose the same. It waits here until its consequence, a revision or a rejection, is in the log.
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
  /** The arm that answered last in each conversation, the one that was quiet longest first. */
  readonly conversations: Map<string, string>;
  /** Requests that were forgotten to make room. */
  forgotten: number;
};

export type LedgerEntry = {
  /** Of the decision, the hit of the cache, or the failure of a request that no arm could take. */
  readonly sequence: Sequence;
  /** When that happened. */
  readonly begunAtMs: number;
  outcomeSequence: Sequence | null;
  reward: StandingReward | null;
  /** The feedback that became revisions. */
  counted: readonly CountedFeedback[];
};

export type CountedFeedback = { readonly feedbackId: string; readonly eventId: string };

/** So often one request can be judged anew. */
export const revisionLimit = 100;

/** Room for so many requests, and for so much feedback that waits. */
export const emptyLedger = (limit: number, feedbackLimit = limit): Ledger => ({
  limit,
  requests: new Map(),
  open: new Map(),
  ended: createRing(),
  feedback: noPendingFeedback(feedbackLimit),
  conversations: new Map(),
  forgotten: 0,
});

/** Folds one event in place. */
export const evolveLedger = (ledger: Ledger, event: SwitchyardEvent, at: Sequence): Ledger => {
  const key = keyOf(event.tenant, event.correlationid);
  switch (event.type) {
    case 'route.decided':
      if (begin(ledger, key, event, at) !== null) ledger.open.set(key, event);
      if (event.data.conversation !== null) remember(ledger, event.data.conversation.id, event.data.arm);
      break;
    case 'cache.hit':
      if (begin(ledger, key, event, at) !== null) ledger.ended.push(key);
      break;
    case 'response.completed':
    case 'response.failed':
      end(ledger, key, event, at);
      break;
    case 'reward.recorded':
      reward(ledger, key, event);
      break;
    case 'feedback.received':
      receive(ledger, key, event);
      break;
    case 'feedback.rejected':
      if (event.causationid !== undefined) removeFeedback(ledger.feedback, event.causationid);
      break;
    case 'budget.paced':
    case 'cache.stored':
    case 'policy.activated':
    case 'policy.canary_ended':
    case 'policy.canary_started':
    case 'shadow.completed':
    case 'shadow.granted':
    case 'shadow.skipped':
      break;
  }
  return ledger;
};

/** Null when the request is known already. */
const begin = (ledger: Ledger, key: string, event: SwitchyardEvent, at: Sequence): LedgerEntry | null => {
  if (ledger.requests.has(key)) return null;
  if (ledger.requests.size >= ledger.limit) forgetOne(ledger);
  const entry: LedgerEntry = { sequence: at, begunAtMs: Date.parse(event.time), outcomeSequence: null, reward: null, counted: [] };
  ledger.requests.set(key, entry);
  return entry;
};

const end = (ledger: Ledger, key: string, event: SwitchyardEvent, at: Sequence): void => {
  // A request that no arm could take begins with its failure; so does, for this ledger, one whose decision lies before the log that was read.
  const begun = begin(ledger, key, event, at);
  if (begun !== null || ledger.open.delete(key)) ledger.ended.push(key);
  const entry = begun ?? ledger.requests.get(key);
  if (entry !== undefined) entry.outcomeSequence ??= at;
};

const reward = (ledger: Ledger, key: string, event: EventOf<'reward.recorded'>): void => {
  const { arm, model, revision, parts, cause, evidence, judgedBy, policy, decidedAt, cells } = event.data;
  const entry = ledger.requests.get(key);
  const before = entry?.reward ?? null;
  if (before !== null && revision <= before.revision) return;
  const eventId = cause === 'feedback' ? event.causationid : undefined;
  // Events of version 1 do not name the feedback; it is still waiting here then.
  const feedbackId = event.data.feedbackId ?? (eventId === undefined ? undefined : ledger.feedback.byId.get(eventId)?.data.feedbackId);
  if (eventId !== undefined) removeFeedback(ledger.feedback, eventId);
  if (entry === undefined) return;
  entry.reward = {
    arm,
    model,
    revision,
    parts,
    counts: before?.counts ?? evidence.trials === 1,
    filing: { policy, decidedAt, cells },
    judgedBy,
  };
  if (eventId !== undefined && feedbackId !== undefined) entry.counted = [...entry.counted, { feedbackId, eventId }];
};

const receive = (ledger: Ledger, key: string, event: EventOf<'feedback.received'>): void => {
  const isCounted = ledger.requests.get(key)?.counted.some(({ eventId }) => eventId === event.id) ?? false;
  if (!isCounted && !ledger.feedback.byId.has(event.id)) addFeedback(ledger.feedback, event);
};

const remember = ({ conversations, limit }: Ledger, conversation: string, arm: string): void => {
  conversations.delete(conversation);
  conversations.set(conversation, arm);
  const oldest = conversations.keys().next().value;
  if (conversations.size > limit && oldest !== undefined) conversations.delete(oldest);
};

const forgetOne = (ledger: Ledger): void => {
  const key = ledger.ended.shift() ?? ledger.open.keys().next().value;
  if (key === undefined) return;
  ledger.requests.delete(key);
  ledger.open.delete(key);
  ledger.forgotten++;
};
