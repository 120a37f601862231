import { z } from 'zod';
import { microSchema, momentSchema, nameSchema, probabilitySchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';
import { failureCodeSchema } from './response.ts';

const milliseconds = z.number().min(0);
const nanoUsd = z.int().min(0);

/** The same figures of both answers, measured the same way, so that their differences mean something. */
const figuresShape = {
  arm: nameSchema.describe('the arm'),
  model: nameSchema.describe('its model'),
  outcome: z.enum(['completed', ...failureCodeSchema.options]).describe('completed, or the code of the failure'),
  detail: z.string().max(500).nullable().describe('of a failure what was seen, without text of the prompt or the answer; else null'),
  finishReason: z.string().max(64).nullable().describe('why the model stopped, in the words of the provider; null for a failure'),
  latencyMs: milliseconds.describe('from the call of the model to the end of the answer; time in which a caller held parts is left out'),
  firstTokenMs: milliseconds.nullable().describe('from the call of the model to its first part; null when there was none'),
  promptTokens: z.int().min(0).describe('tokens of the prompt'),
  completionTokens: z.int().min(0).describe('tokens of the answer'),
  costNanoUsd: nanoUsd.describe('in 1e-9 dollars'),
  answerCharacters: z.int().min(0).describe('characters of the answer'),
  scoreMicro: microSchema
    .nullable()
    .describe('judged quality in millionths where the provider knows it (recorded, simulated), else null; it is in no reward'),
  simulated: z.boolean().describe('true when no real model was asked'),
} as const;

/** The words that name the method are part of what was measured: another method is another name. */
const similarityMethodSchema = z.enum(['trigram-jaccard-v1']);

export const shadowCompleted = defineEvent({
  type: 'shadow.completed',
  version: 1,
  summary:
    'A request that had been answered was also sent to a second arm, for comparison. The second answer was given to nobody, is in no cache and counts in no reward.',
  data: z.object({
    question: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('keyed hash of the question, as in route.decided'),
    streamed: z.boolean().describe('whether both models were asked for a stream'),
    share: probabilitySchema.describe('probability with which a request of this tenant was chosen for a shadow'),
    propensity: probabilitySchema.describe(
      'probability of this second arm, given that there was to be one: one in the number of other candidates',
    ),
    delivered: z.object(figuresShape).describe('the answer that the caller was given'),
    shadow: z.object(figuresShape).describe('the answer that nobody was given'),
    similarity: probabilitySchema.nullable().describe('of the two texts, 0 to 1; null when one of them is missing'),
    similarityMethod: similarityMethodSchema.describe('Jaccard index of the sets of character trigrams; see docs/shadow.md'),
    reservedNanoUsd: nanoUsd.describe('what was set aside for the call before it was made'),
    overrunNanoUsd: nanoUsd.describe('by how much the call cost more than that; taken out of what is granted next'),
  }),
});

export const shadowGranted = defineEvent({
  type: 'shadow.granted',
  version: 1,
  summary:
    'A process took a block of the budget for shadows. Money is taken before it is spent; what is left of it when the window ends is lost.',
  data: z.object({
    windowStart: momentSchema.describe('begin of the window that the block belongs to'),
    windowMs: z.int().positive().describe('length of the window'),
    block: z.int().min(0).describe('number of the block in its window, from 0; each is taken once'),
    blocks: z.int().positive().describe('blocks of a window'),
    blockNanoUsd: nanoUsd.describe('worth of the block, in 1e-9 dollars'),
    host: z.string().max(128).describe('the process that took it'),
  }),
});

export const shadowSkipped = defineEvent({
  type: 'shadow.skipped',
  version: 1,
  summary: 'Shadows that were due and not made, counted by one process over at most a minute, by reason.',
  data: z.object({
    from: momentSchema.describe('begin of the time that was counted'),
    to: momentSchema.describe('its end'),
    host: z.string().max(128).describe('the process that counted'),
    noSecondArm: z.int().min(0).describe('the decision had one candidate'),
    cancelled: z.int().min(0).describe('the caller went away, or the answer was broken off here: there is nothing to compare with'),
    concurrency: z.int().min(0).describe('`shadow.concurrency` shadows were under way'),
    rate: z.int().min(0).describe('more than `shadow.perSecond`'),
    budget: z.int().min(0).describe('the worst case of the call was not covered by what is left of the budget'),
    draining: z.int().min(0).describe('the process was stopping'),
    unavailable: z.int().min(0).describe('no money could be taken because the log could not be reached'),
  }),
});
