import { z } from 'zod';
import { nameSchema, probabilitySchema, sequenceSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';

/** Why an arm could not be drawn. It stands in the decision, so that nobody has to guess it later. */
const exclusionReasonSchema = z.enum(['disabled', 'not-requested', 'context-length']);

/** What the policy saw of the request. Named and versioned: a replay with other features must notice. */
export const featuresSchema = z.object({
  version: z.literal(1).describe('of the way features are made'),
  promptCharacters: z.int().min(0).describe('characters in all messages'),
  promptTokensEstimate: z.int().min(0).describe('a quarter of the UTF-8 bytes, rounded up'),
  messageCount: z.int().min(0).describe('messages of the conversation'),
  lastMessageCharacters: z.int().min(0).describe('characters of the last message of the user'),
  hasCode: z.boolean().describe('whether the last message of the user looks like code'),
  hasMathematics: z.boolean().describe('whether it looks like mathematics'),
  isQuestion: z.boolean().describe('whether it looks like a question'),
});
export type RequestFeatures = z.infer<typeof featuresSchema>;

const candidateSchema = z.object({
  arm: nameSchema.describe('an arm that could be drawn'),
  model: nameSchema.describe('its model'),
  alpha: z.number().positive().describe('Beta posterior of the reward, first parameter'),
  beta: z.number().positive().describe('Beta posterior of the reward, second parameter'),
  propensity: probabilitySchema.describe('probability with which this decision drew this arm, floor mixed in'),
});

export const routeDecided = defineEvent({
  type: 'route.decided',
  version: 1,
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
    }),
    stateSequence: sequenceSchema.describe('the state was the fold of exactly the log up to here'),
    draw: z
      .number()
      .min(0)
      .lt(1)
      .describe('the uniform number that picked the arm from the cumulative propensities, in the order of candidates'),
    floor: probabilitySchema.describe('least probability of each candidate'),
    weights: z
      .object({ success: probabilitySchema, streaming: probabilitySchema, cache: probabilitySchema, cost: probabilitySchema })
      .describe(
        'of the parts of the reward, in force for this tenant; with the prior of the policy they make evidence into alpha and beta',
      ),
    maxOutputTokens: z.int().min(0).describe('longest answer that the caller asked for; 0: no limit was given'),
    candidates: z.array(candidateSchema).min(1).max(256),
    exclusions: z
      .array(
        z.object({
          arm: nameSchema.describe('an arm that could not be drawn'),
          reason: exclusionReasonSchema.describe(
            'disabled: by configuration; not-requested: the caller named another; context-length: the request does not fit',
          ),
        }),
      )
      .max(256),
    features: featuresSchema,
    cache: z.enum(['miss', 'no-store', 'refresh', 'disabled']).describe('why no stored answer was given'),
    streamed: z.boolean().describe('whether the caller asked for a stream'),
    host: z.string().max(128).describe('the process that answers; it can be asked whether it lives'),
    retryable: z.boolean().describe('somebody may come back for it: the caller chose the request id, or it waits in the queue'),
    deadline: z.iso.datetime({ precision: 3 }).describe('after this moment an unanswered request is closed as failed'),
  }),
});

export const policyActivated = defineEvent({
  type: 'policy.activated',
  version: 1,
  summary: 'A policy took effect. Decisions name its version, this event says what that version was.',
  data: z.object({
    policy: z.object({
      id: nameSchema.describe('name of the policy'),
      version: z.string().max(64).describe('fingerprint of all that stands here'),
    }),
    kind: z.enum(['beta-bernoulli-thompson']).describe('how the arms are weighed'),
    floor: probabilitySchema.describe('least probability of each candidate'),
    prior: z.object({ alpha: z.number().positive(), beta: z.number().positive() }).describe('Beta prior of each arm'),
    weights: z
      .object({ success: probabilitySchema, streaming: probabilitySchema, cache: probabilitySchema, cost: probabilitySchema })
      .describe('of the parts of the reward; they sum to 1'),
    arms: z
      .array(
        z.object({
          arm: nameSchema.describe('name of the arm'),
          model: nameSchema.describe('its model'),
          enabled: z.boolean().describe('whether it may be drawn'),
          contextTokens: z.int().positive().describe('prompt and answer together, at most'),
        }),
      )
      .max(256),
  }),
});
