import { z } from 'zod';
import { momentSchema, nameSchema, probabilitySchema, sequenceSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';
import { featuresSchemaV2 } from './features.ts';
import { rewardWeightsSchema } from './policy.ts';

/** Why an arm could not be drawn. It stands in the decision, so that nobody has to guess it later. */
const exclusionReasonSchema = z.enum([
  'disabled',
  'not-requested',
  'context-length',
  'missing-capability',
  'breaker-open',
  'budget',
  'on-trial',
  'no-share',
]);

/** What policies saw of a request in decisions of version 1. */
const featuresSchemaV1 = z.object({
  version: z.literal(1).describe('of the way features are made'),
  promptCharacters: z.int().min(0).describe('characters in all messages'),
  promptTokensEstimate: z.int().min(0).describe('a quarter of the UTF-8 bytes, rounded up'),
  messageCount: z.int().min(0).describe('messages of the conversation'),
  lastMessageCharacters: z.int().min(0).describe('characters of the last message of the user'),
  hasCode: z.boolean().describe('whether the last message of the user looks like code'),
  hasMathematics: z.boolean().describe('whether it looks like mathematics'),
  isQuestion: z.boolean().describe('whether it looks like a question'),
});
export const featuresSchema = z.discriminatedUnion('version', [featuresSchemaV2, featuresSchemaV1]);
export type RequestFeatures = z.infer<typeof featuresSchemaV2>;
export type RecordedFeatures = z.infer<typeof featuresSchema>;

const candidateSchema = z.object({
  arm: nameSchema.describe('an arm that could be drawn'),
  model: nameSchema.describe('its model'),
  posterior: z
    .discriminatedUnion('family', [
      z.object({ family: z.literal('beta'), alpha: z.number().positive(), beta: z.number().positive() }),
      z.object({ family: z.literal('normal'), mean: z.number(), sd: z.number().min(0) }),
    ])
    .nullable()
    .describe('what was believed of the reward of this arm for this request; null: the policy believes nothing'),
  expectedCostNanoUsd: z.number().min(0).nullable().describe('of this request, in 1e-9 dollars; null: not known'),
  expectedLatencyMs: z.number().min(0).nullable().describe('of this request; null: not known'),
  adjustment: z
    .number()
    .describe(
      'added to the reward before arms are compared: less the price of money and time, and of changing the arm within a conversation',
    ),
  floor: probabilitySchema.describe('least probability of this arm: that of the policy, or more while the arm is on trial'),
  propensity: probabilitySchema.describe('probability with which this decision drew this arm, floor mixed in'),
});

export const routeDecided = defineEvent({
  type: 'route.decided',
  version: 2,
  summary:
    'The router chose an arm. It is in the log before the provider is called, and holds all that is needed to recompute and to question the choice.',
  data: z.object({
    question: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('keyed hash of tenant, messages and parameters, as in cache.hit: equal for equal questions'),
    requestedModel: z.string().max(128).describe('what the caller asked for: "auto", a model or an arm'),
    arm: nameSchema.describe('the chosen arm'),
    model: nameSchema.describe('its model'),
    propensity: probabilitySchema.describe('probability with which the chosen arm was drawn'),
    policy: z.object({
      id: nameSchema.describe('name of the policy'),
      version: z.string().max(64).describe('fingerprint of the policy and the arms, see policy.activated'),
      canary: z.boolean().describe('whether it was the canary, see policy.canary_started'),
      trial: z.int().min(1).nullable().describe('number of the change that started that canary; null: none was running'),
    }),
    stateSequence: sequenceSchema.describe('the state was the fold of exactly the log up to here'),
    draw: z
      .number()
      .min(0)
      .lt(1)
      .describe('the uniform number that picked the arm from the cumulative propensities, in the order of candidates'),
    floor: probabilitySchema.describe('least probability of each candidate'),
    weights: rewardWeightsSchema.describe('of the parts of the reward, in force for this tenant'),
    decidedAt: momentSchema.nullable().describe('the moment for which evidence was read; null: it was read without decay'),
    pacing: z
      .object({
        step: z.int().min(0).describe('see budget.paced; 0: the first prices, before any'),
        usdPerRequest: z.number().positive().nullable(),
        latencyTargetMs: z.number().positive().nullable(),
        rewardPerUsd: z.number().min(0),
        rewardPerSecond: z.number().min(0),
      })
      .nullable()
      .describe('budget and prices in force; null: the tenant has neither budget nor latency objective'),
    conversation: z
      .object({
        id: z
          .string()
          .regex(/^[0-9a-f]{32}$/)
          .describe('keyed hash of tenant and conversation id'),
        previousArm: nameSchema.nullable().describe('the arm that answered before in this conversation; null: none is known'),
      })
      .nullable()
      .describe('null when the caller named no conversation'),
    needs: z
      .array(z.enum(['tools', 'json', 'images']))
      .max(3)
      .describe('what the request asks of a model'),
    maxOutputTokens: z.int().min(0).describe('longest answer that the caller asked for; 0: no limit was given'),
    candidates: z.array(candidateSchema).min(1).max(256),
    exclusions: z
      .array(
        z.object({
          arm: nameSchema.describe('an arm that could not be drawn'),
          reason: exclusionReasonSchema.describe(
            'disabled: by configuration; not-requested: the caller named another; context-length: the request does not fit; missing-capability: it needs what the model cannot do; breaker-open: the model failed of late; budget: it costs too many budgets at once; on-trial: a new arm has enough requests under way; no-share: the fixed shares of the policy give it none',
          ),
        }),
      )
      .max(256),
    features: featuresSchema.describe('what policies saw of the request'),
    cache: z.enum(['miss', 'no-store', 'refresh', 'disabled']).describe('why no stored answer was given'),
    streamed: z.boolean().describe('whether the caller asked for a stream'),
    host: z.string().max(128).describe('the process that answers; it can be asked whether it lives'),
    retryable: z.boolean().describe('somebody may come back for it: the caller chose the request id, or it waits in the queue'),
    deadline: momentSchema.describe('after this moment an unanswered request is closed as failed'),
  }),
});
