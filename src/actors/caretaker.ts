import { setImmediate as folded } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Config } from '../config/schema.ts';
import { TransientError } from '../errors.ts';
import {
  encodeEvents,
  idempotencyIds,
  makeEvent,
  requestIdSchema,
  rewardRecorded,
  type EventOf,
  type NonEmpty,
  type RequestId,
  type SwitchyardEvent,
  type Tenant,
} from '../events/index.ts';
import type { Appender } from './appender.ts';
import type { Delivery } from './delivery.ts';
import { createLanes } from './lanes.ts';
import { isWorking, worksOn } from './host-liveness.ts';
import type { RecordedRequest, StreamerFace } from './host-parts.ts';
import { failureEvents } from './outcome.ts';
import type { OpenDecision } from '../domain/routing/ledger-questions.ts';
import type { RouterCommand, RouterReply } from './router.ts';

/**
 * Ends what would stay open for ever.
 *
 * 1. Feedback becomes a revision of the reward: at once in the process that received it, and by a router that finds it still waiting later. The revision's number
 *    is in its idempotency id, so two routers cannot both apply it.
 * 2. A decision without outcome is closed as `interrupted` when its deadline has passed, or as soon as its process is gone if nobody can come back for it.
 *    The arm is not blamed: the reward is recorded with no trial.
 * 3. Feedback for a request that is not known within a while, or that ended without a reward, becomes a dead letter.
 * 4. One that cannot be handled does not keep the others waiting.
 */
export type Caretaker = { readonly close: () => Promise<void> };

const sweepMs = 500;
/** Feedback that waits in memory of this process, and that one sweep looks at; with more the next sweep finds it. */
const feedbackLimit = 2_000;
/** Feedback of different requests is applied side by side. */
const laneCount = 32;
/** More than a process has under way by default: what is in good hands cannot hide an orphan for long. */
const openLimit = 1_000;
/** Feedback is left to the process that received it for this long. */
const foreignFeedbackGraceMs = 2_000;
const unmatchedFeedbackMs = 60_000;
/** Younger decisions are certainly under way. */
const youngMs = 2_000;
/** After its deadline, so that the process that answers can record its own outcome first. */
const lateGraceMs = 2_000;
const appendPatienceMs = 5_000;

export const startCaretaker = (options: {
  readonly instance: string;
  readonly config: Config;
  readonly append: Appender;
  readonly delivery: Delivery;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
  /** The register of this process, or null when no requests are answered here. */
  readonly streamer: StreamerFace | null;
}): Caretaker => {
  const { instance, config, append, delivery, bus, router, streamer } = options;
  const logger = options.logger.child({ part: 'caretaker' });
  const source = `switchyard/${instance}`;
  const nowMs = () => Date.now();
  /** Ids of events that were given up, so that they are not given up again at each sweep. */
  const givenUp = new LRUCache<string, true>({ max: 10_000 });
  const closing = new AbortController();
  const isClosing = (): boolean => closing.signal.aborted;

  const lanes = createLanes(laneCount);

  // Two revisions of one request must not race in one process: each request keeps to its lane.
  const applyFeedback = (event: EventOf<'feedback.received'>): Promise<void> =>
    lanes.run(`${event.tenant}:${event.correlationid}`, () => applyNow(event));

  const applyNow = async (event: EventOf<'feedback.received'>): Promise<void> => {
    const reply = router.ask({ type: 'feedback', event });
    if (reply.kind !== 'feedback') return;
    const { verdict } = reply;
    if (verdict.kind === 'revise') {
      const reward = makeEvent(
        rewardRecorded,
        {
          tenant: event.tenant,
          requestId: event.correlationid,
          source,
          timeMs: nowMs(),
          causationId: event.id,
          traceparent: event.traceparent,
        },
        verdict.data,
      );
      const appended = await append([reward], {
        idempotencyId: idempotencyIds.revision(event.tenant, event.correlationid, verdict.data.revision),
        untilMs: nowMs() + appendPatienceMs,
        signal: closing.signal,
      });
      // The next judgement of this request builds on this one: its turn comes when the router has folded it.
      if (appended.kind === 'appended') await folded();
      else await delivery.catchUp();
      return;
    }
    const isStray = verdict.kind === 'unrewarded' || (verdict.kind === 'unknown' && nowMs() - Date.parse(event.time) > unmatchedFeedbackMs);
    if (!isStray || givenUp.has(event.id)) return;
    await bus.dead.put({
      reason: 'feedback-unmatched',
      detail:
        verdict.kind === 'unknown'
          ? `expected feedback for a request of this yard, got request id ${event.correlationid}`
          : `request ${event.correlationid} ended without a reward that feedback could revise`,
      origin: 'SWITCHYARD_EVENTS',
      id: `feedback:${event.id}`,
      body: encodeEvents([event]).body,
    });
    givenUp.set(event.id, true);
  };

  const isInGoodHands = async (host: string, request: { readonly tenant: Tenant; readonly requestId: RequestId }): Promise<boolean> =>
    host === instance && streamer !== null ? worksOn(streamer, request) : isWorking(bus.messenger, host, request);

  const closeDecision = async (open: OpenDecision) => {
    const requestId = requestIdSchema.parse(open.requestId);
    const late = nowMs() > open.deadlineMs + lateGraceMs;
    if (!late && (open.retryable || (await isInGoodHands(open.host, { tenant: open.tenant, requestId })))) return;
    const request: RecordedRequest = { tenant: open.tenant, requestId, traceparent: undefined };
    const events: NonEmpty<SwitchyardEvent> = failureEvents({ instance, nowMs, config }, request, open.decisionId, {
      code: 'interrupted',
      detail: late ? 'no outcome was recorded before the deadline' : 'the process that answered it ended',
      arm: open.arm,
      model: open.model,
      costNanoUsd: 0,
      promptTokens: 0,
      completionTokens: 0,
      latencyMs: Math.max(0, nowMs() - open.decidedAtMs),
      streamed: open.streamed,
      simulated: false,
    });
    const appended = await append(events, {
      idempotencyId: idempotencyIds.outcome(open.tenant, requestId),
      untilMs: nowMs() + appendPatienceMs,
      signal: closing.signal,
    });
    if (appended.kind === 'appended')
      logger.warn({ requestId, tenant: open.tenant, arm: open.arm, late }, 'closed a request that was left open');
  };

  /** While the log is away nothing can be handled: left for a later sweep. What fails for another reason will always fail. */
  const attempt = async (eventId: string, handle: () => Promise<void>): Promise<void> => {
    if (isClosing()) return;
    try {
      await handle();
    } catch (error) {
      if (isClosing()) return;
      if (error instanceof TransientError) {
        logger.debug({ err: error, event: eventId }, 'left for the next sweep');
        return;
      }
      logger.error({ err: error, event: eventId }, 'cannot be handled; left as it is');
      givenUp.set(eventId, true);
    }
  };

  const sweep = async () => {
    const pending = router.ask({
      type: 'pending-feedback',
      beforeMs: nowMs() - foreignFeedbackGraceMs,
      limit: feedbackLimit,
      skip: (id) => givenUp.has(id),
    });
    if (pending.kind === 'pending-feedback')
      await Promise.all(pending.events.map((event) => attempt(event.id, () => applyFeedback(event))));
    const open = router.ask({ type: 'open', beforeMs: nowMs() - youngMs, limit: openLimit });
    if (open.kind === 'open')
      for (const decision of open.decisions)
        if (!givenUp.has(decision.decisionId)) await attempt(decision.decisionId, () => closeDecision(decision));
  };

  let waiting = 0;
  const unsubscribe = delivery.subscribe((entry) => {
    if (entry.kind === 'poison') return;
    for (const event of entry.events) {
      // With more waiting the sweep finds it.
      if (event.type !== 'feedback.received' || event.source !== source || waiting >= feedbackLimit) continue;
      waiting++;
      void attempt(event.id, () => applyFeedback(event)).finally(() => waiting--);
    }
  });

  let timer: NodeJS.Timeout;
  let sweeping: Promise<void> = Promise.resolve();
  const schedule = () => {
    timer = setTimeout(() => {
      sweeping = sweep()
        // The router is not live at the moment.
        .catch((error: unknown) => {
          logger.debug({ err: error }, 'swept in vain');
        })
        .finally(() => {
          if (!isClosing()) schedule();
        });
    }, sweepMs);
    timer.unref();
  };
  schedule();

  return {
    close: async () => {
      closing.abort();
      unsubscribe();
      clearTimeout(timer);
      await sweeping;
      await lanes.idle();
    },
  };
};
