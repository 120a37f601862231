import { z } from 'zod';
import { decodeEvents, encodeEvents, nameSchema, type NonEmpty, type SwitchyardEvent } from '../events/index.ts';
import { InvariantError } from '../errors.ts';
import { jsonObjectSchema, type JsonObject } from '../json.ts';
import type { AnswerPart } from '../requests/answer.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import type { HostParts, Passage } from './host-parts.ts';
import { withPatience } from './patience.ts';

/**
 * A finished answer as it waits for a retry: the text, and the events that record it. Whoever finds it can complete what its maker could not: append those
 * events (their idempotency id lets only the first succeed) and give the answer.
 */
export type StoredAnswer = {
  /** Keyed hash of the question: the same request id with another question is another request. */
  readonly question: string;
  readonly text: string;
  readonly toolCalls: readonly JsonObject[];
  readonly arm: string;
  readonly model: string;
  readonly simulated: boolean;
  readonly cache: 'hit' | 'miss' | 'bypass';
  readonly idempotencyId: string;
  readonly events: NonEmpty<SwitchyardEvent>;
};

const storedSchema = z.object({
  question: z.string(),
  text: z.string(),
  toolCalls: z.array(jsonObjectSchema),
  arm: nameSchema,
  model: nameSchema,
  simulated: z.boolean(),
  cache: z.enum(['hit', 'miss', 'bypass']),
  idempotencyId: z.string(),
  events: z.string(),
});

const encodeStoredAnswer = (answer: StoredAnswer): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ ...answer, events: new TextDecoder().decode(encodeEvents(answer.events).body) }));

/** Null when it cannot be read, for example after an upgrade: it is then as if it were no longer kept. */
const decodeStoredAnswer = (body: Uint8Array): StoredAnswer | null => {
  let raw: unknown;
  try {
    raw = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
  const stored = storedSchema.safeParse(raw);
  if (!stored.success) return null;
  const events = decodeEvents(new TextEncoder().encode(stored.data.events));
  return events.kind === 'events' && events.events.some(({ type }) => type === 'response.completed')
    ? { ...stored.data, events: events.events }
    : null;
};

/** How long an answer waits for the store; its own append comes after. */
const keepPatienceMs = 15_000;

/**
 * Keeps an answer for retries; the first one kept for a request id stands. Returns the one that stands. When the store stays away the answer is given all the same: a
 * retry then hears that it was answered already.
 */
export const keepAnswer = async (
  parts: Pick<HostParts, 'answers' | 'logger' | 'nowMs'>,
  { request, deadlineMs }: Pick<Passage, 'request' | 'deadlineMs'>,
  answer: StoredAnswer,
): Promise<StoredAnswer> => {
  const body = encodeStoredAnswer(answer);
  try {
    const untilMs = Math.min(parts.nowMs() + keepPatienceMs, deadlineMs);
    const isFirst = await withPatience(() => parts.answers.put(request.tenant, request.requestId, body), { untilMs });
    const standing = isFirst ? null : await findAnswer(parts, request);
    // One's own may stand there, put by a try whose acknowledgement got lost.
    return standing === null || standing.events[0].id === answer.events[0].id ? answer : standing;
  } catch (error) {
    parts.logger.warn({ err: error, requestId: request.requestId, tenant: request.tenant }, 'the answer could not be kept for a retry');
    return answer;
  }
};

export const findAnswer = async (parts: Pick<HostParts, 'answers'>, request: ChatRequest): Promise<StoredAnswer | null> => {
  const body = await parts.answers.get(request.tenant, request.requestId);
  return body === null ? null : decodeStoredAnswer(body);
};

/** An answer from its first part to its last; after `started` where that has been said already. */
export function* tellAnswer(
  request: ChatRequest,
  answer: StoredAnswer,
  { repeated, isStarted }: { readonly repeated: boolean; readonly isStarted: boolean },
): Generator<AnswerPart, void, void> {
  const { arm, model, simulated, cache, text, toolCalls } = answer;
  const completed = answer.events.find((event) => event.type === 'response.completed');
  if (completed === undefined) throw new InvariantError('expected the completion among the events of a kept answer');
  const { finishReason, promptTokens, completionTokens, costNanoUsd } = completed.data;
  if (!isStarted) yield { kind: 'started', requestId: request.requestId, arm, model, cache, simulated, ...(repeated ? { repeated } : {}) };
  yield { kind: 'delta', text, ...(toolCalls.length === 0 ? {} : { toolCalls }) };
  yield { kind: 'finished', finishReason, usage: { promptTokens, completionTokens }, costNanoUsd, repeated };
}
