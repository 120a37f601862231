import { setTimeout as sleep } from 'node:timers/promises';
import type { EventOf, Sequence } from '../events/index.ts';
import type { AnswerError, AnswerPart } from '../requests/answer.ts';
import type { AnswerParts, HostParts, Passage } from './host-parts.ts';
import { isWorking } from './host-liveness.ts';
import { serveFromProvider } from './serve-from-provider.ts';
import { findAnswer, tellAnswer, type StoredAnswer } from './stored-answer.ts';

/**
 * A request that the log already knows: a retry of the caller's, or a redelivery after a death. What the log holds is followed.
 *
 * 1. A recorded answer is given again as long as it is kept: the very answer that the log speaks of, or none.
 * 2. A recorded failure is told again.
 * 3. An answer that was kept and not recorded, because its maker died, is recorded and given.
 * 4. An attempt that another process has under way is waited for.
 * 5. A decision that nobody works on is carried out, with the arm that it chose.
 */
const pollMs = 100;

export async function* resume(parts: HostParts, passage: Passage, beginSequence: Sequence): AnswerParts {
  const { request } = passage;
  const entry = await parts.log.at(beginSequence);
  if (entry?.kind !== 'events') return yield failed(gone);
  const begin = entry.events[0];
  switch (begin.type) {
    case 'route.decided':
      if (begin.data.question !== passage.question) return yield failed(reused);
      return yield* resumeDecision(parts, passage, begin);
    case 'cache.hit':
      if (begin.data.key !== passage.question) return yield failed(reused);
      return yield* followOutcome(parts, passage, beginSequence, 'nothing');
    case 'response.failed':
    case 'response.completed':
      return yield* followOutcome(parts, passage, beginSequence, 'nothing');
    case 'cache.stored':
    case 'policy.activated':
    case 'policy.canary_started':
    case 'policy.canary_ended':
    case 'budget.paced':
    case 'reward.recorded':
    case 'feedback.received':
    case 'feedback.rejected':
    case 'shadow.completed':
    case 'shadow.granted':
    case 'shadow.skipped':
      parts.logger.error({ requestId: request.requestId, type: begin.type, sequence: beginSequence }, 'not the beginning of a request');
      return yield failed(gone);
  }
}

async function* resumeDecision(parts: HostParts, passage: Passage, decision: EventOf<'route.decided'>): AnswerParts {
  const { requestId, tenant } = passage.request;
  const found = await waitForOutcome(parts, passage, decision);
  switch (found.kind) {
    case 'kept': {
      const { events, idempotencyId } = found.answer;
      const { sequence } = await parts.append(events, { idempotencyId, untilMs: passage.deadlineMs });
      return yield* followOutcome(parts, passage, sequence, 'nothing');
    }
    case 'outcome':
      return yield* followOutcome(parts, passage, found.sequence, 'nothing');
    case 'nobody':
      parts.logger.info({ requestId, tenant, arm: decision.data.arm }, 'carrying out a decision that was left open');
      return yield* serveFromProvider(parts, passage, decision);
    case 'late':
      return yield failed(underWayElsewhere);
  }
}

/** How far this attempt has come with telling: no second `started` and no second text may follow. */
export type Said = 'nothing' | 'started' | 'text';

/** Tells what the log holds as the end of this request. */
export async function* followOutcome(parts: HostParts, passage: Passage, sequence: Sequence, said: Said): AnswerParts {
  const { request } = passage;
  const entry = await parts.log.at(sequence);
  const outcome = entry?.kind === 'events' ? entry.events[0] : undefined;
  if (outcome?.type === 'response.failed')
    return yield failed({ code: outcome.data.code, message: `This request failed before: ${outcome.data.detail}.` });
  const answer = await findAnswer(parts, request);
  if (answer === null || answer.events[0].id !== outcome?.id) return yield failed(gone);
  if (answer.question !== passage.question) return yield failed(reused);
  if (said === 'text') return yield failed(recordedElsewhere);
  yield* tellAnswer(request, answer, { repeated: true, isStarted: said === 'started' });
}

type Found =
  | { readonly kind: 'outcome'; readonly sequence: Sequence }
  | { readonly kind: 'kept'; readonly answer: StoredAnswer }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'late' };

const waitForOutcome = async (parts: HostParts, passage: Passage, decision: EventOf<'route.decided'>): Promise<Found> => {
  const { request, signal } = passage;
  while (!signal.aborted && parts.nowMs() < passage.deadlineMs) {
    // Asked first: one who stops working after this question has recorded the outcome before.
    const working = decision.data.host !== parts.instance && (await isWorking(parts.messenger, decision.data.host, request));
    await parts.delivery.catchUp();
    const known = await parts.router.find(request.tenant, request.requestId);
    if (known !== null && known.outcomeSequence !== null) return { kind: 'outcome', sequence: known.outcomeSequence };
    const answer = await findAnswer(parts, request);
    if (answer?.events[0].causationid === decision.id) return { kind: 'kept', answer };
    if (!working) return { kind: 'nobody' };
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return { kind: 'late' };
};

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const gone: AnswerError = {
  code: 'already_answered',
  message: 'This request id was answered before and the answer is no longer kept. Send the question with a new request id to ask again.',
};

const reused: AnswerError = {
  code: 'request_id_reused',
  message: 'This request id belongs to another request: expected the same messages and parameters as before, or a new request id.',
};

const underWayElsewhere: AnswerError = {
  code: 'unavailable',
  message: 'An earlier attempt with this request id is still under way; try again.',
  retryAfterMs: 1_000,
};

const recordedElsewhere: AnswerError = {
  code: 'unavailable',
  message: 'Another attempt with this request id was recorded first; try again to be given its answer.',
  retryAfterMs: 0,
};
