import type { DataOf, FeedbackKind } from '../../events/index.ts';

/**
 * Which of several judgements of one answer stands. What came of the answer is a fact, a score says more than a thumb, and all three come from somebody who used the
 * answer; `measured` is what a judge of recorded data or a simulation says without having used it.
 *
 *   outcome > score > thumb > measured > how the answer ended
 *
 * 1. One that is outranked by what stands changes nothing, whenever it comes; of equals the last in the log stands.
 * 2. So what stands in the end is the last one of the highest kind, and each step needs to know only what stands now: a fold of the log, cut anywhere, agrees.
 */
export type Judgement = Pick<DataOf<'feedback.received'>, 'feedbackId' | 'kind' | 'scoreMicro'>;

/** Of the judgement that comes with a recorded or simulated answer. No caller can give this id: theirs begin with a letter or digit. */
export const measuredFeedbackId = '_measured';

const rank: Readonly<Record<FeedbackKind, number>> = { measured: 1, thumb: 2, score: 3, outcome: 4 };

/** The kind that stands once this one has come; `standing` is undefined while the success part rests on how the answer ended. */
export const prevailing = (coming: FeedbackKind, standing: FeedbackKind | undefined): FeedbackKind =>
  standing === undefined || rank[coming] >= rank[standing] ? coming : standing;
