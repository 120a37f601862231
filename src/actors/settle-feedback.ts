import { setImmediate as folded } from 'node:timers/promises';
import type { DeadLetters } from '../bus/dead-letters.ts';
import type { FeedbackVerdict, RejectionReason } from '../domain/routing/ledger-questions.ts';
import type { Feedback } from '../domain/routing/pending-feedback.ts';
import { encodeEvents, feedbackRejected, idempotencyIds, makeEvent, rewardRecorded } from '../events/index.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';

/**
 * Gives feedback its consequence: a revision of the reward, or a rejection and a dead letter. The revision's number and the feedback's event are in the idempotency ids, so
 * two routers cannot both apply it.
 */
export type SettledVerdict = Extract<FeedbackVerdict, { kind: 'revise' | 'reject' }>;
export type SettleFeedback = (event: Feedback, verdict: SettledVerdict) => Promise<void>;

const appendPatienceMs = 5_000;

export const createSettleFeedback = (options: {
  readonly instance: string;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly dead: DeadLetters;
  readonly signal: AbortSignal;
}): SettleFeedback => {
  const { append, delivery, dead, signal } = options;
  return async (feedback, verdict) => {
    const context = {
      tenant: feedback.tenant,
      requestId: feedback.correlationid,
      source: `switchyard/${options.instance}`,
      timeMs: Date.now(),
      causationId: feedback.id,
      traceparent: feedback.traceparent,
    };
    if (verdict.kind === 'reject') await bury(dead, feedback, verdict.reason);
    const appended =
      verdict.kind === 'revise'
        ? await append([makeEvent(rewardRecorded, context, verdict.data)], {
            idempotencyId: idempotencyIds.revision(feedback.tenant, feedback.correlationid, verdict.data.revision),
            untilMs: Date.now() + appendPatienceMs,
            signal,
          })
        : await append([makeEvent(feedbackRejected, context, { feedbackId: feedback.data.feedbackId, reason: verdict.reason })], {
            idempotencyId: idempotencyIds.rejection(feedback.tenant, feedback.id),
            untilMs: Date.now() + appendPatienceMs,
            signal,
          });
    // The next judgement of this request builds on this one: its turn comes when the router has folded it.
    if (appended.kind === 'appended') await folded();
    else await delivery.catchUp();
  };
};

/** A repetition is no loss: what it repeats has counted. */
const bury = async (dead: DeadLetters, feedback: Feedback, reason: RejectionReason): Promise<void> => {
  if (reason === 'repeated') return;
  await dead.put({
    reason: `feedback-${reason}`,
    detail: explanations[reason](feedback.correlationid),
    origin: 'SWITCHYARD_EVENTS',
    id: `feedback:${feedback.id}`,
    body: encodeEvents([feedback]).body,
  });
};

const explanations: Readonly<Record<Exclude<RejectionReason, 'repeated'>, (requestId: string) => string>> = {
  'unknown-request': (id) =>
    `expected feedback for a request of this yard, got request id ${id}; none came within feedback.requestWaitSeconds`,
  unrewarded: (id) => `request ${id} ended without a reward that feedback could revise`,
  'too-late': (id) => `expected feedback for request ${id} within feedback.maxAgeDays of its decision`,
  'too-many': (id) => `request ${id} was revised as often as a request can be`,
  'memory-away': (id) => `request ${id} is not among the recent ones, and ClickHouse did not tell of it within feedback.memoryWaitSeconds`,
  'crowded-out': (id) => `feedback for request ${id} waited while more came than feedback.waiting`,
};
