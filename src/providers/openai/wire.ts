import { z } from 'zod';
import type { JsonObject } from '../../json.ts';

/** What is read of OpenAI's chat API. Everything else that a provider sends is passed over. */
const textPart = z.object({ text: z.string().optional() });
/** Text, or parts as some providers send them, of which those with text count. */
const content = z
  .union([z.string(), z.array(textPart).transform((parts) => parts.map((part) => part.text ?? '').join(''))])
  .nullish()
  .transform((text) => text ?? '');

/** A value that JSON.parse made: an object of it holds JSON only. */
const rawObject = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

/** More than any model can read or write: larger counts are nonsense and would leave the range of exact costs. */
const tokens = z.int().min(0).max(100_000_000);
const usage = z
  .object({ prompt_tokens: tokens, completion_tokens: tokens })
  .transform((seen) => ({ promptTokens: seen.prompt_tokens, completionTokens: seen.completion_tokens }))
  .nullish()
  .catch(null);

const message = z
  .object({
    content,
    // What a model says when it declines in structured output: it is the text of the answer.
    refusal: content,
    tool_calls: z
      .array(rawObject)
      .nullish()
      .transform((calls) => calls ?? []),
  })
  .transform((seen) => ({ text: seen.content + seen.refusal, toolCalls: seen.tool_calls }));

/** Longer than any known reason and short enough for an event. */
const finishReason = z
  .string()
  .nullish()
  .transform((reason) => reason?.slice(0, 64));

const error = z.unknown().optional();

export const wholeSchema = z.object({
  error,
  choices: z.array(z.object({ message, finish_reason: finishReason })).nullish(),
  usage,
});

export const chunkSchema = z.object({
  error,
  choices: z.array(z.object({ delta: message.nullish(), finish_reason: finishReason })).nullish(),
  usage,
});

export const errorSchema = z.object({
  type: z.string().nullish().catch(null),
  code: z.union([z.string(), z.number()]).nullish().catch(null),
});

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Bytes of what is handed on, which the limit of an answer is about. */
export const answerBytes = (text: string, toolCalls: readonly JsonObject[]): number =>
  Buffer.byteLength(text) + (toolCalls.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(toolCalls)));
