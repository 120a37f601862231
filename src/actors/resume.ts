import { setTimeout as sleep } from 'node:timers/promises';
import type { EventOf, Sequence } from '../events/index.ts';
import type { AnswerError, AnswerPart } from '../requests/answer.ts';
import type { AnswerParts, HostParts, Passage } from './host-parts.ts';
import { isWorking } from './host-liveness.ts';
import { serveFromProvider } from './serve-from-provider.ts';
import { findAnswer, type StoredAnswer } from './stored-answer.ts';

/**
 * A request that the log already knows: a retry of the caller's, or a redelivery after a death. What the log holds is followed.
 *
 * 1. A kept answer is given again, after making sure that its events are in the log.
 * 2. A recorded failure is told again.
 * 3. An attempt that another process has under way is waited for.
 * 4. A decision that nobody works on is carried out, with the arm that it chose.
 */
const pollMs = 100;

export async function* resume(parts: HostParts, passage: Passage, decisionSequence: Sequence): AnswerParts {
  const { request } = passage;
  const entry = await parts.log.at(decisionSequence);
  if (entry?.kind !== 'events') return yield failed(gone);
  const decision = entry.events[0];
  switch (decision.type) {
    case 'response.failed':
      return yield failed(failureOf(decision));
    case 'cache.hit':
      if (decision.data.key !== passage.question) return yield failed(reused);
      return yield* giveAgain(parts, passage, await findAnswer(parts, request));
    case 'route.decided': {
      if (decision.data.question !== passage.question) return yield failed(reused);
      const found = await waitForOutcome(parts, passage, decision);
      switch (found.kind) {
        case 'answer':
          return yield* giveAgain(parts, passage, found.answer);
        case 'outcome':
          return yield* followOutcome(parts, passage, found.sequence, false);
        case 'nobody':
          parts.logger.info(
            { requestId: request.requestId, tenant: request.tenant, arm: decision.data.arm },
            'carrying out a decision that was left open',
          );
          return yield* serveFromProvider(parts, passage, decision);
        case 'late':
          return yield failed({
            code: 'unavailable',
            message: 'An earlier attempt with this request id is still under way; try again.',
            retryAfterMs: 1_000,
          });
      }
      break;
    }
    case 'cache.stored':
    case 'policy.activated':
    case 'response.completed':
    case 'reward.recorded':
    case 'feedback.received':
      return yield failed(gone);
  }
}

/** Tells what the log holds as the end of this request. `begun`: parts of another text have been handed on already, so no second text may follow. */
export async function* followOutcome(parts: HostParts, passage: Passage, sequence: Sequence, begun: boolean): AnswerParts {
  const entry = await parts.log.at(sequence);
  const outcome = entry?.kind === 'events' ? entry.events[0] : undefined;
  if (outcome?.type === 'response.failed') return yield failed(failureOf(outcome));
  const answer = begun ? null : await findAnswer(parts, passage.request);
  yield* giveAgain(parts, passage, answer);
}

async function* giveAgain(parts: HostParts, passage: Passage, answer: StoredAnswer | null): AnswerParts {
  const { request } = passage;
  if (answer === null) return yield failed(gone);
  if (answer.question !== passage.question) return yield failed(reused);
  // Its maker may have died between keeping the answer and recording it.
  await parts.append(answer.events, { idempotencyId: answer.idempotencyId, untilMs: passage.deadlineMs });
  const completed = answer.events.find((event) => event.type === 'response.completed');
  if (completed === undefined) return yield failed(gone);
  const { arm, model, simulated, cache } = answer;
  yield { kind: 'started', requestId: request.requestId, arm, model, cache, simulated, repeated: true };
  yield { kind: 'delta', text: answer.text, ...(answer.toolCalls.length === 0 ? {} : { toolCalls: answer.toolCalls }) };
  const { finishReason, promptTokens, completionTokens, costNanoUsd } = completed.data;
  yield { kind: 'finished', finishReason, usage: { promptTokens, completionTokens }, costNanoUsd, repeated: true };
}

type Found =
  | { readonly kind: 'answer'; readonly answer: StoredAnswer }
  | { readonly kind: 'outcome'; readonly sequence: Sequence }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'late' };

const waitForOutcome = async (parts: HostParts, passage: Passage, decision: EventOf<'route.decided'>): Promise<Found> => {
  const { request, signal } = passage;
  while (!signal.aborted && parts.nowMs() < passage.deadlineMs) {
    // Asked first: one who stops working after this question has recorded the outcome before.
    const working = decision.data.host !== parts.instance && (await isWorking(parts.messenger, decision.data.host, request));
    const answer = await findAnswer(parts, request);
    if (answer !== null) return { kind: 'answer', answer };
    await parts.delivery.catchUp();
    const known = await parts.router.find(request.tenant, request.requestId);
    if (known !== null && known.outcomeSequence !== null) return { kind: 'outcome', sequence: known.outcomeSequence };
    if (!working) return { kind: 'nobody' };
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return { kind: 'late' };
};

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const failureOf = (event: EventOf<'response.failed'>): AnswerError => ({
  code: event.data.code,
  message: `This request failed before: ${event.data.detail}.`,
});

const gone: AnswerError = {
  code: 'already_answered',
  message: 'This request id was answered before and the answer is no longer kept. Send the question with a new request id to ask again.',
};

const reused: AnswerError = {
  code: 'request_id_reused',
  message: 'This request id belongs to another request: expected the same messages and parameters as before, or a new request id.',
};
