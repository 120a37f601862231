import {
  idempotencyIds,
  makeEvent,
  responseFailed,
  routeDecided,
  type EventOf,
  type RequestFeatures,
  type Sequence,
} from '../events/index.ts';
import { conversationText } from '../domain/routing/conversation.ts';
import { needsOf } from '../domain/routing/needs.ts';
import type { AnswerError } from '../requests/answer.ts';
import { eventContext, type HostParts, type Passage } from './host-parts.ts';

/** Asks the router and appends its choice. `recorded`: the log already holds a decision (or an answer from the cache) for this request. */
export type Decided =
  | { readonly kind: 'decided'; readonly event: EventOf<'route.decided'> }
  | { readonly kind: 'recorded'; readonly sequence: Sequence }
  | { readonly kind: 'refused'; readonly error: AnswerError };

/** How long an append of a decision is tried while the log is away; then the caller is told to come again. */
const decisionPatienceMs = 10_000;

export const decide = async (parts: HostParts, passage: Passage, features: RequestFeatures): Promise<Decided> => {
  const { request } = passage;
  const { tenant, requestId } = request;
  const draw = parts.random();
  const reply = await parts.router.route({
    tenant,
    requestId,
    requestedModel: request.model,
    features,
    maxOutputTokens: features.requestedTokens,
    needs: needsOf(request),
    conversation: request.conversation === undefined ? null : parts.keyedHash(conversationText(tenant, request.conversation)),
    decidedAtMs: parts.logNowMs(),
    draw,
  });
  if (reply.kind === 'known') return { kind: 'recorded', sequence: reply.sequence };
  if (reply.kind === 'unknown-model')
    return {
      kind: 'refused',
      error: {
        code: 'model_not_found',
        message: `Expected "auto", a model or an arm of this yard (GET /v1/models lists them), got "${request.model.slice(0, 128)}".`,
      },
    };

  const context = eventContext(parts, request);
  const common = {
    idempotencyId: idempotencyIds.decision(tenant, requestId),
    untilMs: Math.min(parts.nowMs() + decisionPatienceMs, passage.deadlineMs),
  };
  if (reply.kind === 'no-candidate') {
    const detail = `no arm can take the request: ${reply.exclusions.map(({ arm, reason }) => `${arm} (${reason})`).join(', ')}`.slice(
      0,
      500,
    );
    const event = makeEvent(responseFailed, context, {
      code: 'no_candidate',
      detail,
      arm: null,
      model: null,
      costNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      latencyMs: Math.max(0, parts.nowMs() - request.receivedAtMs),
      streamed: request.streamed,
      simulated: false,
    });
    const appended = await parts.append([event], common);
    return appended.kind === 'duplicate'
      ? { kind: 'recorded', sequence: appended.sequence }
      : { kind: 'refused', error: { code: 'no_candidate', message: `Expected a request that at least one arm can take; ${detail}.` } };
  }

  const event = makeEvent(routeDecided, context, {
    ...reply.choice,
    question: passage.question,
    requestedModel: request.model,
    features,
    cache: request.caching === 'use' ? (parts.config.cache.enabled ? 'miss' : 'disabled') : request.caching,
    streamed: request.streamed,
    host: parts.instance,
    retryable: request.retryable,
    deadline: new Date(passage.deadlineMs).toISOString(),
  });
  const appended = await parts.append([event], common);
  return appended.kind === 'duplicate' ? { kind: 'recorded', sequence: appended.sequence } : { kind: 'decided', event };
};
