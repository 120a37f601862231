import { z } from 'zod';
import { nameSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';

const milliseconds = z.number().min(0);

export const responseCompleted = defineEvent({
  type: 'response.completed',
  version: 1,
  summary: 'A whole answer reached its end. A truncated one never becomes this event.',
  data: z.object({
    origin: z.enum(['provider', 'cache']).describe('where the answer came from'),
    arm: nameSchema.describe('the arm that made the answer; for one from the cache the arm that made it then'),
    model: nameSchema.describe('its model'),
    finishReason: z.string().max(64).describe('why the model stopped, in the words of the provider: stop, length, tool_calls, ...'),
    promptTokens: z.int().min(0).describe('tokens of the prompt'),
    completionTokens: z.int().min(0).describe('tokens of the answer'),
    usageSource: z.enum(['provider', 'estimated']).describe('estimated: the provider sent no usage, a quarter of the bytes was taken'),
    costNanoUsd: z.int().min(0).describe('in 1e-9 dollars; 0 for an answer from the cache'),
    latencyMs: milliseconds.describe('from the arrival of the request to the end of the answer'),
    firstTokenMs: milliseconds.describe('from the arrival of the request to the first text'),
    longestStallMs: milliseconds.describe('longest pause between two parts of the answer'),
    parts: z.int().min(0).describe('parts in which the provider sent the answer'),
    answerCharacters: z.int().min(0).describe('characters of the answer'),
    streamed: z.boolean().describe('whether the caller asked for a stream'),
    simulated: z.boolean().describe('true when no real model made the answer'),
  }),
});

/** Codes of failures after acceptance. The gateway's catalogue gives each an HTTP status and a sentence. */
export const failureCodeSchema = z.enum([
  'provider_error',
  'provider_unavailable',
  'provider_rate_limited',
  'provider_refused',
  'provider_timeout',
  'answer_truncated',
  'answer_too_large',
  'cancelled',
  'interrupted',
  'no_candidate',
]);
export type FailureCode = z.infer<typeof failureCodeSchema>;

export const responseFailed = defineEvent({
  type: 'response.failed',
  version: 1,
  summary: 'A request that was accepted ended without a whole answer. Like response.completed it is there exactly once.',
  data: z.object({
    code: failureCodeSchema.describe('what went wrong'),
    detail: z.string().max(500).describe('what was seen, without text of the prompt or the answer'),
    arm: nameSchema.nullable().describe('null when no arm could be chosen'),
    model: nameSchema.nullable().describe('its model; null when no arm could be chosen'),
    costNanoUsd: z.int().min(0).describe('what the attempt cost all the same, in 1e-9 dollars'),
    promptTokens: z.int().min(0).describe('tokens of the prompt that the provider was sent'),
    completionTokens: z.int().min(0).describe('tokens that had come before the failure, estimated'),
    latencyMs: milliseconds.describe('from the arrival of the request to the failure'),
    streamed: z.boolean().describe('whether the caller asked for a stream'),
    simulated: z.boolean().describe('true when no real model was asked'),
  }),
});
