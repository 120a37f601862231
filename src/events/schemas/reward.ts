import { z } from 'zod';
import { microSchema, momentSchema, nameSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';
import { rewardWeightsSchema } from './policy.ts';
import { feedbackIdSchema, feedbackKindSchema } from './feedback.ts';

const delta = z.int().min(-1_000_000).max(1_000_000);

export const rewardRecorded = defineEvent({
  type: 'reward.recorded',
  version: 2,
  summary:
    'What a request was worth, in four parts. Revision 0 follows the completion; feedback adds revisions. The sum of all evidence is the state of the bandit.',
  data: z.object({
    arm: nameSchema.describe('the arm that made the answer'),
    model: nameSchema.describe('its model'),
    revision: z.int().min(0).max(1_000).describe('0 follows the completion, each feedback adds one'),
    cause: z.enum(['completion', 'failure', 'feedback', 'cache', 'interruption']).describe('what made this revision'),
    feedbackId: feedbackIdSchema.optional().describe('the feedback that made this revision; a first reward has none'),
    judgedBy: feedbackKindSchema
      .optional()
      .describe(
        'what the success part rests on after this revision: outcome outranks score, score thumb, thumb measured, and of equals the last in the log stands; absent while it rests on how the answer ended',
      ),
    parts: z
      .object({ success: microSchema, streaming: microSchema, cache: microSchema, cost: microSchema })
      .describe('each 0 to 1,000,000 millionths; all parts as they stand after this revision'),
    weights: rewardWeightsSchema.describe('in force when this was recorded'),
    rewardMicro: microSchema.describe('weighted sum of the parts, rounded'),
    policy: z
      .object({
        id: nameSchema.describe('name of the policy that chose the arm'),
        version: z.string().max(64).describe('its fingerprint'),
        canary: z.boolean().describe('whether it was the canary'),
        trial: z
          .int()
          .min(1)
          .nullable()
          .describe('number of the change that started the canary under which it was chosen; null: there was none'),
      })
      .nullable()
      .describe('null for an answer from the cache, and for rewards recorded before version 2'),
    decidedAt: momentSchema
      .nullable()
      .describe(
        'when the arm was chosen; null: the time of this event. The evidence is filed under that moment, or under the one at which the log stored this event if that was earlier',
      ),
    cells: z
      .array(z.string().min(1).max(64))
      .max(8)
      .describe('kinds of request under which the evidence is filed, from coarse to fine; none when no arm learns from it'),
    evidence: z
      .object({
        trials: z.int().min(0).max(1).describe('1 for a first reward that counts, 0 for a revision or one that does not'),
        measured: z.int().min(0).max(1).describe('1 when cost and latency are part of it'),
        failures: z.int().min(0).max(1).describe('1 when the arm failed'),
        success: delta,
        streaming: delta,
        cache: delta,
        cost: delta,
        successSquare: delta.describe('squares of the parts, in millionths'),
        streamingSquare: delta,
        cacheSquare: delta,
        costSquare: delta,
        costNanoUsd: z.int().min(0).describe('in 1e-9 dollars'),
        spendSquare: z.int().min(0).describe('square of the cost in hundred-thousandths of a dollar, rounded up'),
        latencyMs: z.int().min(0).describe('from the arrival of the request to its end, whole ms'),
        promptTokens: z.int().min(0).describe('tokens of the prompt'),
        completionTokens: z.int().min(0).describe('tokens of the answer'),
      })
      .describe('what this event adds to the arm in each of the cells; the parts in millionths'),
  }),
});
