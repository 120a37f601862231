import { LRUCache } from 'lru-cache';
import type { Config } from '../config/schema.ts';
import type { Feedback } from '../domain/routing/pending-feedback.ts';
import { judgeRemembered } from '../domain/routing/remembered.ts';
import { feedbackTermsOf } from './feedback-terms.ts';
import type { RequestMemory } from './request-memory.ts';
import type { SettledVerdict } from './settle-feedback.ts';

/**
 * Feedback for requests that the ledger does not know: forgotten ones, of which the memory tells, and those that have not come yet.
 *
 * 1. The memory is asked for many at once, by one question at a time, and while it is away only now and then.
 * 2. Once the memory knows the feedback itself and not its request, the request can only come: it is not asked again before the wait for that is over.
 * 3. While the memory is away or behind nothing is decided, for as long as `feedback.memoryWaitSeconds`.
 */
export type LateFeedback = {
  /** False while there is nothing new to learn about this event. */
  readonly isDue: (eventId: string) => boolean;
  /** Whether the memory may be asked at all. */
  readonly isOpen: () => boolean;
  /** Those that can be settled now; the others are not due for a while. At most `lateLimit` at once, of different requests. */
  readonly judge: (strays: readonly Feedback[]) => Promise<readonly { readonly event: Feedback; readonly verdict: SettledVerdict }[]>;
};

/** In one question. */
export const lateLimit = 200;
const askAgainMs = 1_000;
const longestPauseMs = 30_000;

export const createLateFeedback = (options: {
  readonly memory: RequestMemory;
  readonly config: Config;
  readonly nowMs: () => number;
}): LateFeedback => {
  const { memory, config, nowMs } = options;
  const requestWaitMs = config.feedback.requestWaitSeconds * 1_000;
  const memoryWaitMs = config.feedback.memoryWaitSeconds * 1_000;
  const dueMs = new LRUCache<string, number>({ max: config.feedback.waiting });
  let pauseMs = askAgainMs;
  let openMs = 0;

  const judgeOne = (event: Feedback, recorded: Parameters<typeof judgeRemembered>[0] | undefined): SettledVerdict | null => {
    const receivedMs = Date.parse(event.time);
    const terms = feedbackTermsOf(config, event.tenant);
    const verdict = recorded === undefined ? { kind: 'behind' as const } : judgeRemembered(recorded, event, terms);
    dueMs.set(event.id, nowMs() + askAgainMs);
    switch (verdict.kind) {
      case 'revise':
      case 'reject':
        return verdict;
      case 'unknown':
        if (nowMs() - receivedMs > requestWaitMs) return { kind: 'reject', reason: 'unknown-request' };
        dueMs.set(event.id, receivedMs + requestWaitMs + 1);
        return null;
      case 'behind':
        return nowMs() - receivedMs > memoryWaitMs ? { kind: 'reject', reason: 'memory-away' } : null;
      case 'wait':
      case 'settled':
        return null;
    }
  };

  return {
    isDue: (eventId) => (dueMs.get(eventId) ?? 0) <= nowMs(),
    isOpen: () => nowMs() >= openMs,
    judge: async (strays) => {
      const answers = await memory.eventsOf(strays.map(({ tenant, correlationid }) => ({ tenant, requestId: correlationid })));
      pauseMs = answers === null ? Math.min(2 * pauseMs, longestPauseMs) : askAgainMs;
      openMs = answers === null ? nowMs() + pauseMs : 0;
      return strays.flatMap((event, index) => {
        const verdict = judgeOne(event, answers?.[index]);
        return verdict === null ? [] : [{ event, verdict }];
      });
    },
  };
};
