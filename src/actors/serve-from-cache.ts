import { rewardForCacheHit } from '../domain/reward/reward.ts';
import { cacheHit, idempotencyIds, makeEvent, responseCompleted, rewardRecorded, type DataOf, type Sequence } from '../events/index.ts';
import type { AnswerPart } from '../requests/answer.ts';
import type { CacheReply } from './cache.ts';
import { eventContext, rewardConfigOf, type HostParts, type Passage } from './host-parts.ts';
import { keepAnswer, tellAnswer, type StoredAnswer } from './stored-answer.ts';

export type CacheServed =
  { readonly kind: 'served' } | { readonly kind: 'miss' } | { readonly kind: 'recorded'; readonly sequence: Sequence };

/**
 * Answers from the cache if it can. The three events of a hit are one append under the id of the decision, whose place the hit takes: a request that was
 * routed before and is asked again cannot be recorded a second time as a hit.
 */
export async function* serveFromCache(parts: HostParts, passage: Passage, waited: boolean): AsyncGenerator<AnswerPart, CacheServed, void> {
  const { request, question } = passage;
  const reply = await parts.cache.ask({ type: 'lookup', key: question, nowMs: parts.nowMs() }).catch((error: unknown) => {
    parts.logger.warn({ err: error }, 'the cache does not answer; going on without it');
    return null;
  });
  if (reply?.kind !== 'hit') return { kind: 'miss' };

  const own = hitOf(parts, passage, reply, waited ? 'single-flight' : 'exact');
  let told = own;
  if (request.retryable) {
    // Kept before it is recorded: whoever dies in between leaves a retry something to give.
    const standing = await keepAnswer(parts, passage, own);
    if (standing !== own) {
      const known = await parts.router.find(request.tenant, request.requestId);
      if (known !== null) return { kind: 'recorded', sequence: known.decisionSequence };
      // The hit of an attempt that died before it was recorded.
      if (standing.idempotencyId === own.idempotencyId && standing.question === question) told = standing;
    }
  }
  const appended = await parts.append(told.events, { idempotencyId: told.idempotencyId, untilMs: passage.deadlineMs });
  if (appended.kind === 'duplicate') return { kind: 'recorded', sequence: appended.sequence };
  yield* tellAnswer(request, told, { repeated: false, isStarted: false });
  return { kind: 'served' };
}

const hitOf = (
  parts: HostParts,
  { request, question }: Passage,
  { answer, ageMs }: Extract<CacheReply, { kind: 'hit' }>,
  lookup: DataOf<'cache.hit'>['lookup'],
): StoredAnswer => {
  const { text, toolCalls, arm, model, simulated } = answer;
  const hit = makeEvent(cacheHit, eventContext(parts, request), {
    key: question,
    tier: 'l1',
    lookup,
    ageMs,
    arm,
    model,
    originRequestId: answer.originRequestId,
    savedCostNanoUsd: answer.costNanoUsd,
  });
  const latencyMs = Math.max(0, parts.nowMs() - request.receivedAtMs);
  const completed = makeEvent(responseCompleted, eventContext(parts, request, hit.id), {
    origin: 'cache',
    arm,
    model,
    finishReason: answer.finishReason,
    ...answer.usage,
    usageSource: 'provider',
    costNanoUsd: 0,
    latencyMs,
    firstTokenMs: latencyMs,
    longestStallMs: 0,
    parts: 1,
    answerCharacters: text.length,
    streamed: request.streamed,
    simulated,
  });
  const reward = makeEvent(
    rewardRecorded,
    eventContext(parts, request, completed.id),
    rewardForCacheHit({ completed: completed.data, config: rewardConfigOf(parts.config, request.tenant) }),
  );
  const idempotencyId = idempotencyIds.decision(request.tenant, request.requestId);
  return { question, text, toolCalls, arm, model, simulated, cache: 'hit', idempotencyId, events: [hit, completed, reward] };
};
