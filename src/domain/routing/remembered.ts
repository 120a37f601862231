import type { Sequence, SwitchyardEvent } from '../../events/index.ts';
import { emptyLedger, evolveLedger } from './ledger.ts';
import { decideFeedback, type FeedbackTerms, type FeedbackVerdict } from './ledger-questions.ts';
import type { Feedback } from './pending-feedback.ts';

/** An event and the message of the log that holds it. */
export type RecordedEvent = { readonly sequence: Sequence; readonly event: SwitchyardEvent };
export type RecordedFeedback = RecordedEvent & { readonly event: Feedback };

/**
 * What becomes of feedback for a request that the ledger has forgotten: the same fold and the same judgement, over the events of that request alone, as another
 * memory of the log gives them. That memory may lag behind the log. It holds every message up to some sequence, so once it knows the feedback itself it knows all that
 * came before; until then it is `behind`.
 */
export const judgeRemembered = (
  recorded: readonly RecordedEvent[],
  feedback: Feedback,
  terms: FeedbackTerms,
): FeedbackVerdict | { readonly kind: 'behind' } => {
  if (!recorded.some(({ event }) => event.id === feedback.id)) return { kind: 'behind' };
  const ledger = recorded.reduce((folded, { event, sequence }) => evolveLedger(folded, event, sequence), emptyLedger(recorded.length));
  return decideFeedback(ledger, feedback, terms);
};
