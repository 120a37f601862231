import { z } from 'zod';
import { microSchema, nameSchema, probabilitySchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';

const delta = z.int().min(-1_000_000).max(1_000_000);

export const rewardRecorded = defineEvent({
  type: 'reward.recorded',
  version: 1,
  summary:
    'What a request was worth, in four parts. Revision 0 follows the completion; feedback adds revisions. The sum of all evidence is the state of the bandit.',
  data: z.object({
    arm: nameSchema.describe('the arm that made the answer'),
    model: nameSchema.describe('its model'),
    revision: z.int().min(0).max(1_000).describe('0 follows the completion, each feedback adds one'),
    cause: z.enum(['completion', 'failure', 'feedback', 'cache', 'interruption']).describe('what made this revision'),
    parts: z
      .object({ success: microSchema, streaming: microSchema, cache: microSchema, cost: microSchema })
      .describe('each 0 to 1,000,000 millionths; all parts as they stand after this revision'),
    weights: z
      .object({ success: probabilitySchema, streaming: probabilitySchema, cache: probabilitySchema, cost: probabilitySchema })
      .describe('in force when this was recorded; they sum to 1'),
    rewardMicro: microSchema.describe('weighted sum of the parts, rounded'),
    evidence: z
      .object({ trials: z.int().min(0).max(1), success: delta, streaming: delta, cache: delta, cost: delta })
      .describe(
        'what this event adds to the arm: trials is 1 for a first reward that counts, 0 for a revision or one that does not; the rest in millionths',
      ),
  }),
});

export const feedbackReceived = defineEvent({
  type: 'feedback.received',
  version: 1,
  summary: 'Somebody judged an answer. It becomes a revision of the reward of that request, once.',
  data: z.object({
    feedbackId: z.string().min(1).max(128).describe('given by the sender or made by the gateway; the same one counts once'),
    kind: z
      .enum(['thumb', 'score', 'outcome', 'measured'])
      .describe('thumb: up or down; score: a number; outcome: what came of the answer; measured: by a judge of recorded data'),
    scoreMicro: microSchema.describe('0 useless to 1,000,000 perfect; takes the place of the success part'),
  }),
});
