import { rewardForCacheHit } from '../domain/reward/reward.ts';
import {
  cacheHit,
  idempotencyIds,
  makeEvent,
  responseCompleted,
  rewardRecorded,
  type NonEmpty,
  type Sequence,
  type SwitchyardEvent,
} from '../events/index.ts';
import type { AnswerPart } from '../requests/answer.ts';
import { keepAnswer } from './stored-answer.ts';
import { eventContext, rewardConfigOf, type HostParts, type Passage } from './host-parts.ts';

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
  const { answer, ageMs } = reply;
  const { arm, model, simulated } = answer;

  const hit = makeEvent(cacheHit, eventContext(parts, request), {
    key: question,
    tier: 'l1',
    lookup: waited ? 'single-flight' : 'exact',
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
    promptTokens: answer.usage.promptTokens,
    completionTokens: answer.usage.completionTokens,
    usageSource: 'provider',
    costNanoUsd: 0,
    latencyMs,
    firstTokenMs: latencyMs,
    longestStallMs: 0,
    parts: 1,
    answerCharacters: answer.text.length,
    streamed: request.streamed,
    simulated,
  });
  const reward = makeEvent(
    rewardRecorded,
    eventContext(parts, request, completed.id),
    rewardForCacheHit({ completed: completed.data, config: rewardConfigOf(parts.config, request.tenant) }),
  );
  const events: NonEmpty<SwitchyardEvent> = [hit, completed, reward];
  const idempotencyId = idempotencyIds.decision(request.tenant, request.requestId);
  const appended = await parts.append(events, { idempotencyId, untilMs: passage.deadlineMs });
  if (appended.kind === 'duplicate') return { kind: 'recorded', sequence: appended.sequence };
  if (request.retryable)
    await keepAnswer(parts, passage, {
      question,
      text: answer.text,
      toolCalls: answer.toolCalls,
      arm,
      model,
      simulated,
      cache: 'hit',
      idempotencyId,
      events,
    });

  yield { kind: 'started', requestId: request.requestId, arm, model, cache: 'hit', simulated };
  yield { kind: 'delta', text: answer.text, ...(answer.toolCalls.length === 0 ? {} : { toolCalls: answer.toolCalls }) };
  yield { kind: 'finished', finishReason: answer.finishReason, usage: answer.usage, costNanoUsd: 0, repeated: false };
  return { kind: 'served' };
}
