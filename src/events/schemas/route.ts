import { z } from 'zod';
import { nameSchema, probabilitySchema, sequenceSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';

/** Why an arm could not be drawn. It stands in the decision, so that nobody has to guess it later. */
export const exclusionReasonSchema = z.enum(['disabled', 'not-requested', 'context-length']);

/** What the policy saw of the request. Named and versioned: a replay with other features must notice. */
export const featuresSchema = z.object({
  version: z.literal(1),
  promptCharacters: z.int().min(0).describe('characters in all messages'),
  promptTokensEstimate: z.int().min(0).describe('a quarter of the UTF-8 bytes, rounded up'),
  messageCount: z.int().min(0),
  lastMessageCharacters: z.int().min(0).describe('characters of the last message of the user'),
  hasCode: z.boolean(),
  hasMathematics: z.boolean(),
  isQuestion: z.boolean(),
});
export type RequestFeatures = z.infer<typeof featuresSchema>;

export const candidateSchema = z.object({
  arm: nameSchema,
  model: nameSchema,
  alpha: z.number().positive().describe('Beta posterior of the reward, first parameter'),
  beta: z.number().positive().describe('second parameter'),
  propensity: probabilitySchema.describe('probability with which this decision drew this arm, floor mixed in'),
});

export const routeDecided = defineEvent({
  type: 'route.decided',
  version: 1,
  summary:
    'The router chose an arm. It is in the log before the provider is called, and holds all that is needed to recompute and to question the choice.',
  data: z.object({
    requestedModel: z.string().max(128).describe('what the caller asked for: "auto", a model or an arm'),
    arm: nameSchema.describe('the chosen arm'),
    model: nameSchema,
    propensity: probabilitySchema.describe('of the chosen arm'),
    policy: z.object({
      id: nameSchema,
      version: z.string().max(64).describe('fingerprint of the policy and the arms, see policy.activated'),
    }),
    stateSequence: sequenceSchema.describe('the state was the fold of exactly the log up to here'),
    draw: z
      .number()
      .min(0)
      .lt(1)
      .describe('the uniform number that picked the arm from the cumulative propensities, in the order of candidates'),
    floor: probabilitySchema.describe('least probability of each candidate'),
    candidates: z.array(candidateSchema).min(1).max(256),
    exclusions: z.array(z.object({ arm: nameSchema, reason: exclusionReasonSchema })).max(256),
    features: featuresSchema,
    cache: z.enum(['miss', 'no-store', 'refresh', 'disabled']).describe('why no stored answer was given'),
    streamed: z.boolean().describe('whether the caller asked for a stream'),
    host: z.string().max(128).describe('the process that answers; it can be asked whether it lives'),
    deadline: z.iso.datetime({ precision: 3 }).describe('after this moment an unanswered request is closed as failed'),
  }),
});

export const policyActivated = defineEvent({
  type: 'policy.activated',
  version: 1,
  summary: 'A policy took effect. Decisions name its version, this event says what that version was.',
  data: z.object({
    policy: z.object({ id: nameSchema, version: z.string().max(64) }),
    kind: z.enum(['beta-bernoulli-thompson']),
    floor: probabilitySchema,
    prior: z.object({ alpha: z.number().positive(), beta: z.number().positive() }),
    weights: z.object({ success: probabilitySchema, streaming: probabilitySchema, cache: probabilitySchema, cost: probabilitySchema }),
    arms: z.array(z.object({ arm: nameSchema, model: nameSchema, enabled: z.boolean(), contextTokens: z.int().positive() })).max(256),
  }),
});
