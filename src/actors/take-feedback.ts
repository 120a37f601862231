import type { Logger } from 'pino';
import type { DeadLetters } from '../bus/dead-letters.ts';
import type { Config } from '../config/schema.ts';
import type { FeedbackVerdict } from '../domain/routing/ledger-questions.ts';
import type { Feedback } from '../domain/routing/pending-feedback.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';
import { createLanes } from './lanes.ts';
import { createLateFeedback, lateLimit } from './late-feedback.ts';
import type { RequestMemory } from './request-memory.ts';
import type { RouterCommand, RouterReply } from './router.ts';
import { createSettleFeedback, type SettledVerdict } from './settle-feedback.ts';
import { startSweeps } from './sweeps.ts';

/**
 * Sees to it that all feedback in the log has its consequence: at once in the process that received it, and by a router that finds it still waiting later.
 *
 * 1. Judgements of one request are taken one after the other, in the order of the log.
 * 2. For requests that the ledger does not know the memory is asked, apart from the rest, which must not wait for it.
 */
/** Feedback that waits in memory of this process, and that one sweep looks at; with more the next sweep finds it. */
const feedbackLimit = 2_000;
/** Feedback of different requests is applied side by side. */
const laneCount = 32;
/** Feedback is left to the process that received it for this long. */
const foreignGraceMs = 2_000;

export const startTakingFeedback = (options: {
  readonly instance: string;
  readonly config: Config;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly dead: DeadLetters;
  readonly memory: RequestMemory;
  readonly logger: Logger;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
}): { readonly close: () => Promise<void> } => {
  const { delivery, router } = options;
  const logger = options.logger.child({ part: 'feedback' });
  const source = `switchyard/${options.instance}`;
  const nowMs = () => Date.now();
  const lanes = createLanes(laneCount);
  const late = createLateFeedback({ ...options, nowMs });

  const verdictOf = (event: Feedback): FeedbackVerdict | null => {
    const reply = router.ask({ type: 'feedback', event });
    return reply.kind === 'feedback' ? reply.verdict : null;
  };

  /** What was found out elsewhere counts only while the ledger, asked last, says one of these. */
  const take = (event: Feedback, elsewhere?: { readonly verdict: SettledVerdict; readonly while: readonly FeedbackVerdict['kind'][] }) =>
    sweeps.attempt(event.id, () =>
      lanes.run(`${event.tenant}:${event.correlationid}`, async () => {
        const verdict = verdictOf(event);
        if (verdict?.kind === 'revise' || verdict?.kind === 'reject') await settle(event, verdict);
        else if (verdict !== null && elsewhere?.while.includes(verdict.kind) === true) await settle(event, elsewhere.verdict);
      }),
    );

  const waiting = (skip: (eventId: string) => boolean, limit: number) => {
    const reply = router.ask({ type: 'waiting-feedback', beforeMs: nowMs() - foreignGraceMs, limit, skip });
    return reply.kind === 'waiting-feedback' ? reply : null;
  };

  let dropped = 0;
  const sweeps = startSweeps(logger, async () => {
    const found = waiting(sweeps.isGivenUp, feedbackLimit);
    if (found === null) return;
    if (found.dropped > dropped)
      logger.error({ dropped: found.dropped }, 'feedback was dropped for want of room; a restart finds it in the log');
    dropped = found.dropped;
    await Promise.all([
      ...found.ready.map((event) => take(event)),
      ...found.crowdedOut.map((event) => take(event, { verdict: { kind: 'reject', reason: 'crowded-out' }, while: ['unknown', 'wait'] })),
    ]);
  });
  const settle = createSettleFeedback({ ...options, signal: sweeps.signal });

  const lateSweeps = startSweeps(logger, async () => {
    if (!late.isOpen()) return;
    const strays = waiting((id) => sweeps.isGivenUp(id) || !late.isDue(id), lateLimit)?.strays ?? [];
    if (strays.length === 0) return;
    await Promise.all((await late.judge(strays)).map(({ event, verdict }) => take(event, { verdict, while: ['unknown'] })));
  });

  let underWay = 0;
  const unsubscribe = delivery.subscribe((entry) => {
    if (entry.kind === 'poison') return;
    for (const event of entry.events) {
      // With more waiting the sweep finds it.
      if (event.type !== 'feedback.received' || event.source !== source || underWay >= feedbackLimit) continue;
      underWay++;
      void take(event).finally(() => underWay--);
    }
  });

  return {
    close: async () => {
      unsubscribe();
      await Promise.all([sweeps.close(), lateSweeps.close()]);
      await lanes.idle();
    },
  };
};
