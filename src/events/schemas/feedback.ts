import { z } from 'zod';
import { defineEvent } from '../envelope.ts';
import { microSchema } from '../identifiers.ts';

export const feedbackKindSchema = z.enum(['thumb', 'score', 'outcome', 'measured']);
export type FeedbackKind = z.infer<typeof feedbackKindSchema>;

/** Also the dedupe key of a judgement within its request. */
export const feedbackIdSchema = z.string().min(1).max(128);

export const feedbackReceived = defineEvent({
  type: 'feedback.received',
  version: 1,
  summary: 'Somebody judged an answer. It becomes a revision of the reward of that request, once, or is rejected with the reason.',
  data: z.object({
    feedbackId: feedbackIdSchema.describe('given by the sender or made by the gateway; the same one counts once'),
    kind: feedbackKindSchema.describe(
      'thumb: up or down; score: a number; outcome: what came of the answer; measured: by a judge of recorded data',
    ),
    scoreMicro: microSchema.describe(
      '0 useless to 1,000,000 perfect; takes the place of the success part unless a kind that outranks it stands',
    ),
  }),
});

export const feedbackRejected = defineEvent({
  type: 'feedback.rejected',
  version: 1,
  summary:
    'Feedback that will never become a revision, and why. Every feedback.received is followed by one of these or by a reward.recorded that names it as its cause.',
  data: z.object({
    feedbackId: feedbackIdSchema.describe('of the feedback; the cause of this event is its event'),
    reason: z
      .enum(['unknown-request', 'unrewarded', 'too-late', 'too-many', 'repeated', 'memory-away', 'crowded-out'])
      .describe(
        'unknown-request: its request was not there within `feedback.requestWaitSeconds`; unrewarded: the request ended without a reward; too-late: it came later than `feedback.maxAgeDays` after the decision; too-many: the request was revised as often as a request can be; repeated: its id was counted before; memory-away: ClickHouse did not tell of an old request within `feedback.memoryWaitSeconds`; crowded-out: more feedback waits than a router keeps',
      ),
  }),
});
