import { cacheable } from '../domain/cache/cacheable.ts';
import { costNanoUsd, estimateTokens } from '../domain/price.ts';
import { rewardForCompletion, rewardForFailure, type Filing } from '../domain/reward/reward.ts';
import { filingOf } from '../domain/routing/filing.ts';
import { measuredFeedbackId } from '../domain/reward/judgement.ts';
import { streamFigures, type Progress } from '../domain/streaming/progress.ts';
import {
  cacheStored,
  feedbackReceived,
  idempotencyIds,
  makeEvent,
  responseCompleted,
  responseFailed,
  rewardRecorded,
  type DataOf,
  type EventOf,
  type FailureCode,
  type NonEmpty,
  type Sequence,
  type SwitchyardEvent,
} from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import type { ProviderPart } from '../providers/provider.ts';
import type { AnswerError, AnswerPart, Usage } from '../requests/answer.ts';
import type { CachedAnswer } from './cache.ts';
import { eventContext, rewardConfigOf, type HostParts, type ModelAtWork, type Passage, type RecordedRequest } from './host-parts.ts';
import { keepAnswer } from './stored-answer.ts';

/** What has come of an answer so far. */
export type ReceivedAnswer = { readonly progress: Progress; text: string; readonly toolCalls: JsonObject[] };

export type Outcome =
  | {
      readonly kind: 'recorded';
      readonly part: AnswerPart;
      readonly event: EventOf<'response.completed'> | EventOf<'response.failed'>;
    }
  /** The log already holds an outcome for this request. */
  | { readonly kind: 'duplicate'; readonly sequence: Sequence };

type Ended = { readonly decision: EventOf<'route.decided'>; readonly received: ReceivedAnswer; readonly atWork: ModelAtWork };

/** Appends completion, reward and, where the answer may be used again, the cache's entry: one message. */
export const recordAnswer = async (
  parts: HostParts,
  passage: Passage,
  ended: Ended & { readonly end: Extract<ProviderPart, { kind: 'end' }> },
): Promise<Outcome> => {
  const { decision, received, atWork, end } = ended;
  const { request, question } = passage;
  const { arm, model } = decision.data;
  const { simulated } = atWork.provider;
  const usage = end.usage ?? estimatedUsage(decision, received);
  const cost = end.costNanoUsd ?? costNanoUsd(usage, atWork.config.price);
  const context = eventContext(parts, request, decision.id);

  const completed = makeEvent(responseCompleted, context, {
    origin: 'provider',
    arm,
    model,
    finishReason: end.finishReason,
    ...usage,
    usageSource: end.usage === null ? 'estimated' : 'provider',
    costNanoUsd: cost,
    ...streamFigures(received.progress, parts.nowMs()),
    streamed: request.streamed,
    simulated,
  });
  const stored = cacheable({ caching: request.caching, finishReason: end.finishReason, enabled: parts.config.cache.enabled })
    ? await stage(parts, passage, {
        text: received.text,
        toolCalls: received.toolCalls,
        finishReason: end.finishReason,
        usage,
        costNanoUsd: cost,
        arm,
        model,
        simulated,
        originRequestId: request.requestId,
      })
    : null;
  const following = eventContext(parts, request, completed.id);
  const events: NonEmpty<SwitchyardEvent> = [
    completed,
    makeEvent(
      rewardRecorded,
      following,
      rewardForCompletion({
        completed: completed.data,
        cached: stored !== null,
        filing: filingOf(decision),
        config: rewardConfigOf(parts.config, request.tenant),
      }),
    ),
    ...(stored === null ? [] : [makeEvent(cacheStored, following, stored)]),
    ...(end.measuredScoreMicro === undefined
      ? []
      : [makeEvent(feedbackReceived, following, { feedbackId: measuredFeedbackId, kind: 'measured', scoreMicro: end.measuredScoreMicro })]),
  ];

  const idempotencyId = idempotencyIds.outcome(request.tenant, request.requestId);
  const answer = {
    question,
    text: received.text,
    toolCalls: received.toolCalls,
    arm,
    model,
    simulated,
    cache: request.caching === 'use' ? 'miss' : 'bypass',
    idempotencyId,
    events,
  } as const;
  const kept = request.retryable ? await keepAnswer(parts, passage, answer) : answer;
  // One that follows another decision is of an earlier life of this request id.
  const standing = kept.events[0].causationid === decision.id ? kept : answer;
  const appended = await parts.append(standing.events, { idempotencyId, untilMs: passage.deadlineMs });
  return appended.kind === 'duplicate' || standing !== answer
    ? { kind: 'duplicate', sequence: appended.sequence }
    : {
        kind: 'recorded',
        part: { kind: 'finished', finishReason: end.finishReason, usage, costNanoUsd: cost, repeated: false },
        event: completed,
      };
};

/** Appends failure and reward. Whose fault it was is the reward's business: what the caller or this process broke off does not count against the arm. */
export const recordFailure = async (
  parts: HostParts,
  passage: Pick<Passage, 'request' | 'deadlineMs'>,
  ended: Omit<Ended, 'atWork'> & { readonly atWork: ModelAtWork | undefined; readonly code: FailureCode; readonly detail: string },
): Promise<Outcome> => {
  const { decision, received, atWork, code, detail } = ended;
  const { request } = passage;
  const usage: Usage = received.progress.parts === 0 ? { promptTokens: 0, completionTokens: 0 } : estimatedUsage(decision, received);
  const events = failureEvents(
    parts,
    request,
    { id: decision.id, filing: filingOf(decision) },
    {
      code,
      detail: detail.slice(0, 500),
      arm: decision.data.arm,
      model: decision.data.model,
      costNanoUsd: atWork === undefined ? 0 : costNanoUsd(usage, atWork.config.price),
      ...usage,
      latencyMs: streamFigures(received.progress, parts.nowMs()).latencyMs,
      streamed: request.streamed,
      simulated: atWork?.provider.simulated ?? false,
    },
  );
  // A caller who has gone waits for nothing: the outcome is still tried for as long as the request could have lived.
  const appended = await parts.append(events, {
    idempotencyId: idempotencyIds.outcome(request.tenant, request.requestId),
    untilMs: passage.deadlineMs,
  });
  const error: AnswerError = { code, message: `The answer of ${decision.data.arm} failed: ${detail}.` };
  return appended.kind === 'duplicate'
    ? { kind: 'duplicate', sequence: appended.sequence }
    : { kind: 'recorded', part: { kind: 'failed', error }, event: events[0] };
};

export const failureEvents = (
  parts: Pick<HostParts, 'instance' | 'nowMs' | 'config'>,
  request: RecordedRequest,
  decision: { readonly id: string; readonly filing: Filing },
  data: DataOf<'response.failed'> & { readonly arm: string; readonly model: string },
): readonly [EventOf<'response.failed'>, EventOf<'reward.recorded'>] => {
  const failed = makeEvent(responseFailed, eventContext(parts, request, decision.id), data);
  return [
    failed,
    makeEvent(
      rewardRecorded,
      eventContext(parts, request, failed.id),
      rewardForFailure({ failed: data, filing: decision.filing, config: rewardConfigOf(parts.config, request.tenant) }),
    ),
  ];
};

const estimatedUsage = (decision: EventOf<'route.decided'>, received: ReceivedAnswer): Usage => ({
  promptTokens: decision.data.features.promptTokensEstimate,
  completionTokens: estimateTokens(received.text),
});

const stage = async (parts: HostParts, passage: Passage, answer: CachedAnswer) => {
  const { tenant, requestId } = passage.request;
  try {
    const reply = await parts.cache.ask({ type: 'stage', tenant, requestId, key: passage.question, answer, nowMs: parts.nowMs() });
    return reply.kind === 'staged' ? reply.stored : null;
  } catch (error) {
    parts.logger.warn({ err: error }, 'the cache does not answer; the answer is not stored');
    return null;
  }
};
