import type { AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import type { JsonObject } from '../json.ts';
import { completionId, extrasOf, usageOf } from './completion.ts';
import { errorBody } from './http-error.ts';
import type { GatewayError } from './error-catalogue.ts';

/**
 * Server-sent events as OpenAI's streams have them. What all frames of one answer share is written to JSON once.
 * With `includeUsage` each chunk has `usage: null`, and one more before the end has no choices and the usage.
 */
export type CompletionFrames = {
  readonly role: string;
  readonly delta: (part: Extract<AnswerPart, { kind: 'delta' }>) => string;
  /** Finish chunk, usage chunk when asked for, and the mark of the end. */
  readonly end: (part: Extract<AnswerPart, { kind: 'finished' }>) => string;
};

export const createCompletionFrames = (origin: AnswerOrigin, createdAtMs: number, includeUsage: boolean): CompletionFrames => {
  const shared = JSON.stringify({
    id: completionId(origin.requestId),
    object: 'chat.completion.chunk',
    created: Math.floor(createdAtMs / 1_000),
    model: origin.model,
  }).slice(0, -1);
  const usageNull = includeUsage ? ',"usage":null' : '';
  const chunk = (delta: string, finishReason: string) =>
    `data: ${shared},"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}]${usageNull}}\n\n`;

  return {
    role: chunk('{"role":"assistant","content":""}', 'null'),
    delta: ({ text, toolCalls }) => chunk(JSON.stringify(deltaOf(text, toolCalls)), 'null'),
    end: (part) =>
      chunk('{}', JSON.stringify(part.finishReason)) +
      (includeUsage
        ? `data: ${shared},"choices":[],"usage":${JSON.stringify(usageOf(part.usage))},"switchyard":${JSON.stringify(extrasOf(part))}}\n\n`
        : '') +
      'data: [DONE]\n\n',
  };
};

/** Ends a stream without `[DONE]`: no client can take what came for a whole answer. */
export const errorFrame = (error: GatewayError): string => `data: ${JSON.stringify(errorBody(error))}\n\n`;

const deltaOf = (text: string, toolCalls: readonly JsonObject[] | undefined) => ({
  ...(text === '' && toolCalls !== undefined ? {} : { content: text }),
  ...(toolCalls === undefined || toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map((call, i) => ({ index: i, ...call })) }),
});
