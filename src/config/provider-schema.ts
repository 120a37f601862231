import { z } from 'zod';
import { addressWithoutCredentials, count, positive, share } from './bounds.ts';

/** Who answers for a model. `kind` tells the three apart. */
const latencyMs = z.number().min(0).max(600_000);

const simulatedProvider = z.strictObject({
  kind: z.literal('simulated').describe('no real model: answers of declared length, speed, quality and price, for trying the yard out'),
  firstTokenMs: z
    .strictObject({
      median: latencyMs.describe('median of the time to the first token, log-normal'),
      p95: latencyMs.describe('95th percentile of it'),
    })
    .refine((latency) => latency.p95 >= latency.median, 'expected p95 to be at least the median'),
  tokensPerSecond: positive.describe('speed of the answer after its first token'),
  answerTokens: z
    .strictObject({
      median: count.default(60).describe('median of the length of an answer, log-normal'),
      p95: count.default(160).describe('95th percentile of it'),
    })
    .refine((tokens) => tokens.p95 >= tokens.median, 'expected p95 to be at least the median')
    .prefault({}),
  quality: share.describe('probability that an answer is judged good'),
  errorRate: share.default(0).describe('probability that a call fails'),
  seed: z.int().default(1).describe('the same seed gives the same answers'),
});

const openaiProvider = z.strictObject({
  kind: z.literal('openai-compatible').describe('a server that speaks the OpenAI chat API'),
  baseUrl: addressWithoutCredentials(['http', 'https'], 'https://api.example.com/v1').describe('up to and without /chat/completions'),
  model: z.string().min(1).max(256).describe('name of the model at the provider'),
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,127}$/, 'expected the name of an environment variable, never the key itself')
    .optional()
    .describe('name of the environment variable that holds the key'),
  connections: count.max(4_096).default(256).describe('connections to this provider, at most'),
});

const recordedProvider = z.strictObject({
  kind: z.literal('recorded').describe('answers, rewards and costs that were measured earlier, from files'),
  folder: z
    .string()
    .min(1)
    .describe(
      'folder of `*.jsonl` or `*.jsonl.gz` files, one `{"prompt","arms":{"<model>":{"reward","cost"}}}` a line; a relative path begins at the folder of this file',
    ),
  model: z.string().min(1).max(256).describe('name of the model in those files'),
  firstTokenMs: z.number().min(0).max(60_000).default(0).describe('time to the first token'),
});

export const providerConfigSchema = z.discriminatedUnion('kind', [simulatedProvider, openaiProvider, recordedProvider]);
