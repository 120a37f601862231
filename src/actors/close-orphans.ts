import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Config } from '../config/schema.ts';
import type { OpenDecision } from '../domain/routing/ledger-questions.ts';
import { idempotencyIds, requestIdSchema, type NonEmpty, type RequestId, type SwitchyardEvent, type Tenant } from '../events/index.ts';
import type { Appender } from './appender.ts';
import { isWorking, worksOn } from './host-liveness.ts';
import type { RecordedRequest, StreamerFace } from './host-parts.ts';
import { failureEvents } from './outcome.ts';
import type { RouterCommand, RouterReply } from './router.ts';
import { startSweeps } from './sweeps.ts';

/**
 * Closes what would stay open for ever: a decision without outcome is recorded as `interrupted` when its deadline has passed, or as soon as its process is gone if
 * nobody can come back for it. The arm is not blamed: the reward is recorded with no trial.
 */
/** More than a process has under way by default: what is in good hands cannot hide an orphan for long. */
const openLimit = 1_000;
/** Younger decisions are certainly under way. */
const youngMs = 2_000;
/** After its deadline, so that the process that answers can record its own outcome first. */
const lateGraceMs = 2_000;
const appendPatienceMs = 5_000;

export const startClosingOrphans = (options: {
  readonly instance: string;
  readonly config: Config;
  readonly append: Appender;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly router: { readonly ask: (command: RouterCommand) => RouterReply };
  /** The register of this process, or null when no requests are answered here. */
  readonly streamer: StreamerFace | null;
}): { readonly close: () => Promise<void> } => {
  const { instance, config, append, bus, router, streamer } = options;
  const logger = options.logger.child({ part: 'orphans' });
  const nowMs = () => Date.now();

  const isInGoodHands = async (host: string, request: { readonly tenant: Tenant; readonly requestId: RequestId }): Promise<boolean> =>
    host === instance && streamer !== null ? worksOn(streamer, request) : isWorking(bus.messenger, host, request);

  const closeDecision = async (open: OpenDecision) => {
    const requestId = requestIdSchema.parse(open.requestId);
    const late = nowMs() > open.deadlineMs + lateGraceMs;
    if (!late && (open.retryable || (await isInGoodHands(open.host, { tenant: open.tenant, requestId })))) return;
    const request: RecordedRequest = { tenant: open.tenant, requestId, traceparent: undefined };
    const events: NonEmpty<SwitchyardEvent> = failureEvents(
      { instance, nowMs, config },
      request,
      { id: open.decisionId, filing: open.filing },
      {
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
      },
    );
    const appended = await append(events, {
      idempotencyId: idempotencyIds.outcome(open.tenant, requestId),
      untilMs: nowMs() + appendPatienceMs,
      signal: sweeps.signal,
    });
    if (appended.kind === 'appended')
      logger.warn({ requestId, tenant: open.tenant, arm: open.arm, late }, 'closed a request that was left open');
  };

  const sweeps = startSweeps(logger, async () => {
    const open = router.ask({ type: 'open', beforeMs: nowMs() - youngMs, limit: openLimit });
    if (open.kind !== 'open') return;
    for (const decision of open.decisions)
      if (!sweeps.isGivenUp(decision.decisionId)) await sweeps.attempt(decision.decisionId, () => closeDecision(decision));
  });

  return { close: sweeps.close };
};
