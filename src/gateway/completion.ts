import type { RequestId } from '../events/index.ts';
import type { Json, JsonObject } from '../json.ts';
import type { AnswerError, AnswerOrigin, AnswerPart, Usage } from '../requests/answer.ts';

/** Answers in the shapes of OpenAI's chat completions: `chat.completion` for a whole one, `chat.completion.chunk` for a streamed one. */
export const completionId = (requestId: RequestId): string => `chatcmpl-${requestId}`;

export const usageOf = ({ promptTokens, completionTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

/** What the yard says beside OpenAI's fields, under `switchyard`, where usage stands. */
export const extrasOf = ({ costNanoUsd, repeated }: Extract<AnswerPart, { kind: 'finished' }>) => ({
  cost_nano_usd: costNanoUsd,
  repeated,
});

export type WholeAnswer = {
  readonly kind: 'whole';
  readonly origin: AnswerOrigin;
  readonly text: string;
  readonly toolCalls: readonly JsonObject[];
  readonly finished: Extract<AnswerPart, { kind: 'finished' }>;
};

export type FailedAnswer = { readonly kind: 'failed'; readonly origin: AnswerOrigin | null; readonly error: AnswerError };

/** Reads an answer to its end. */
export const collectAnswer = async (parts: AsyncIterable<AnswerPart>): Promise<WholeAnswer | FailedAnswer> => {
  let origin: AnswerOrigin | null = null;
  let text = '';
  const toolCalls: JsonObject[] = [];
  for await (const part of parts) {
    switch (part.kind) {
      case 'started':
        origin = part;
        break;
      case 'delta':
        text += part.text;
        if (part.toolCalls !== undefined) toolCalls.push(...part.toolCalls);
        break;
      case 'failed':
        return { kind: 'failed', origin, error: part.error };
      case 'finished':
        if (origin === null) throw new TypeError('expected `started` before `finished`');
        return { kind: 'whole', origin, text, toolCalls: assembleToolCalls(toolCalls), finished: part };
    }
  }
  throw new TypeError('expected an answer to end with `finished` or `failed`');
};

export const wholeCompletion = (answer: WholeAnswer, createdAtMs: number) => ({
  id: completionId(answer.origin.requestId),
  object: 'chat.completion',
  created: Math.floor(createdAtMs / 1_000),
  model: answer.origin.model,
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: answer.text === '' && answer.toolCalls.length > 0 ? null : answer.text,
        refusal: null,
        ...(answer.toolCalls.length === 0 ? {} : { tool_calls: answer.toolCalls }),
      },
      logprobs: null,
      finish_reason: answer.finished.finishReason,
    },
  ],
  usage: usageOf(answer.finished.usage),
  switchyard: extrasOf(answer.finished),
});

/**
 * Puts tool calls together from the pieces of a stream: pieces of one call share an `index`, the first names the function, the others add to
 * its arguments. A piece without an index is a whole call.
 */
export const assembleToolCalls = (pieces: readonly JsonObject[]): readonly JsonObject[] => {
  const calls: JsonObject[] = [];
  const places = new Map<number, number>();
  for (const { index, ...piece } of pieces) {
    const place = typeof index === 'number' ? places.get(index) : undefined;
    if (place === undefined) {
      if (typeof index === 'number') places.set(index, calls.length);
      calls.push(piece);
    } else calls[place] = joinPieces(calls[place] ?? {}, piece);
  }
  return calls;
};

/** What came first stands: some providers repeat the name or send it empty. */
const joinPieces = (call: JsonObject, piece: JsonObject): JsonObject => {
  const before = objectOr(call['function']);
  const more = objectOr(piece['function']);
  const argumentsText = textOr(before['arguments']) + textOr(more['arguments']);
  return { ...piece, ...call, function: { ...more, ...before, arguments: argumentsText } };
};

const objectOr = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
const textOr = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
