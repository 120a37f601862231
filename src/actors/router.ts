import type { Logger } from 'pino';
import { z } from 'zod';
import type { EventLog, LogEntry } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import { happenedBy } from '../domain/routing/happened.ts';
import { emptyLedger, evolveLedger, type Ledger } from '../domain/routing/ledger.ts';
import {
  decideFeedback,
  findRequest,
  openDecisions,
  waitingFeedback,
  type FeedbackVerdict,
  type KnownRequest,
  type OpenDecision,
  type WaitingFeedback,
} from '../domain/routing/ledger-questions.ts';
import { decideRoute, type DecidingPolicy } from '../domain/routing/router.ts';
import { nextPace, paceDue, type Pace } from '../domain/routing/pacing.ts';
import { deciderFor } from '../domain/routing/deciders.ts';
import { reportOnCanary, type CanaryReport } from '../domain/routing/canary-guard.ts';
import { emptySnapshot, snapshotOf, stateOf, type StateSnapshot } from '../domain/routing/snapshot.ts';
import { evolveRouter, latestChange, ruleOf, runningCanary, type RouterState } from '../domain/routing/state.ts';
import { summaryOf, type StateSummary } from '../domain/routing/summary.ts';
import { requestIdSchema, sequence, tenantSchema, type DataOf, type EventOf, type Sequence, type Tenant } from '../events/index.ts';
import { featuresSchemaV2 } from '../events/schemas/features.ts';
import type { Concern, Rebuilt } from './concern.ts';
import { feedbackTermsOf } from './feedback-terms.ts';
import { budgetOf, rewardConfigOf, type RouteReply } from './host-parts.ts';
import { policyContent } from './policy.ts';
import type { RequestMemory } from './request-memory.ts';
import { readWaitingFeedback } from './waiting-feedback.ts';

/**
 * The router as an actor: the evidence of the arms and the ledger of recent requests, both folds of the log.
 *
 * It is rebuilt from what ClickHouse has summed plus the log's tail; from the log alone when ClickHouse is away. The ledger needs only the recent log.
 */
export type RouterActorState = { readonly routing: RouterState; readonly ledger: Ledger };

export const routerCommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('route'),
    question: z.object({
      tenant: tenantSchema,
      requestId: requestIdSchema,
      requestedModel: z.string().max(128),
      features: featuresSchemaV2,
      maxOutputTokens: z.number().min(0),
      needs: z.array(z.enum(['tools', 'json', 'images'])).max(3),
      conversation: z.string().max(64).nullable(),
      decidedAtMs: z.number().min(0),
      draw: z.number().min(0).lt(1),
    }),
  }),
  z.object({ type: z.literal('find'), tenant: tenantSchema, requestId: requestIdSchema }),
  z.object({ type: z.literal('state') }),
  z.object({ type: z.literal('policy') }),
]);

export type RouterCommand =
  | z.infer<typeof routerCommandSchema>
  | { readonly type: 'feedback'; readonly event: EventOf<'feedback.received'> }
  | { readonly type: 'waiting-feedback'; readonly beforeMs: number; readonly limit: number; readonly skip: (eventId: string) => boolean }
  | { readonly type: 'paces-due' }
  | { readonly type: 'open'; readonly beforeMs: number; readonly limit: number };

export type RouterReply =
  | { readonly kind: 'route'; readonly route: RouteReply }
  | { readonly kind: 'found'; readonly known: KnownRequest | null }
  | { readonly kind: 'feedback'; readonly verdict: FeedbackVerdict }
  | ({ readonly kind: 'waiting-feedback'; readonly dropped: number } & WaitingFeedback)
  | {
      readonly kind: 'policy';
      readonly inForce: DataOf<'policy.activated'> | null;
      readonly configured: StateSnapshot['configured'];
      /** The one that runs, and how it does. */
      readonly canary: DataOf<'policy.canary_started'> | null;
      readonly report: CanaryReport | null;
      readonly latestChange: number;
      readonly stateSequence: Sequence;
    }
  | { readonly kind: 'paces-due'; readonly paces: readonly PaceDue[] }
  | { readonly kind: 'open'; readonly decisions: readonly OpenDecision[] }
  | {
      readonly kind: 'state';
      readonly sequence: number;
      readonly summary: StateSummary;
      readonly requestsKnown: number;
      readonly requestsForgotten: number;
      readonly openDecisions: number;
      readonly feedbackWaiting: number;
    };

export const routerConcern = (options: {
  readonly config: Config;
  readonly log: EventLog;
  readonly evidenceSource: () => Promise<StateSnapshot | null>;
  readonly memory: RequestMemory;
  readonly logger: Logger;
}): Concern<RouterActorState, RouterCommand, RouterReply> => {
  const { config } = options;
  const content = policyContent(config);
  // Until the log says otherwise.
  const configured: DecidingPolicy = { content, rule: ruleOf(content), canary: false, trial: null };
  return {
    role: 'router',
    follows: true,
    rebuild: (range) => rebuildRouter(options, range),
    handle: (command, { routing, ledger }): RouterReply => {
      switch (command.type) {
        case 'route': {
          const { question } = command;
          const known = findRequest(ledger, question.tenant, question.requestId);
          if (known !== null) return { kind: 'route', route: { kind: 'known', sequence: known.decisionSequence } };
          const { weights } = rewardConfigOf(config, question.tenant);
          const budget = budgetOf(config, question.tenant);
          const { conversation: id } = question;
          const conversation = id === null ? null : { id, previousArm: ledger.conversations.get(id) ?? null };
          const policy = deciderFor(routing, id ?? `${question.tenant}:${question.requestId}`) ?? configured;
          return { kind: 'route', route: decideRoute({ ...question, weights, budget, conversation }, policy, routing) };
        }
        case 'find':
          return { kind: 'found', known: findRequest(ledger, command.tenant, command.requestId) };
        case 'feedback':
          return { kind: 'feedback', verdict: decideFeedback(ledger, command.event, feedbackTermsOf(config, command.event.tenant)) };
        case 'waiting-feedback':
          return { kind: 'waiting-feedback', dropped: ledger.feedback.dropped, ...waitingFeedback(ledger, command) };
        case 'paces-due':
          return { kind: 'paces-due', paces: pacesDue(config, routing) };
        case 'policy':
          return { kind: 'policy', ...policyStateOf(routing) };
        case 'open':
          return { kind: 'open', decisions: openDecisions(ledger, command) };
        case 'state':
          return {
            kind: 'state',
            sequence: routing.sequence,
            summary: summaryOf(snapshotOf(routing)),
            requestsKnown: ledger.requests.size,
            requestsForgotten: ledger.forgotten,
            openDecisions: ledger.open.size,
            feedbackWaiting: ledger.feedback.byId.size,
          };
      }
    },
    evolve: fold,
  };
};

const policyStateOf = (routing: RouterState): Omit<Extract<RouterReply, { kind: 'policy' }>, 'kind'> => ({
  inForce: routing.policy?.event ?? null,
  configured: routing.configured,
  canary: runningCanary(routing)?.event ?? null,
  report: reportOnCanary(routing),
  latestChange: latestChange(routing),
  stateSequence: sequence(routing.sequence),
});

type PaceDue = { readonly tenant: Tenant; readonly pace: Pace; readonly stateSequence: Sequence };

const pacesDue = (config: Config, { totals, paces, sequence: at }: RouterState): readonly PaceDue[] =>
  [...totals].flatMap(([tenant, used]) => {
    const budget = budgetOf(config, tenant);
    const last = paces.get(tenant) ?? null;
    const isPaced = budget.usdPerRequest !== null || budget.latencyTargetMs !== null;
    return isPaced && paceDue(last, used) ? [{ tenant, pace: nextPace(last, used, budget), stateSequence: sequence(at) }] : [];
  });

/** Folds an entry in place. What cannot be read is skipped by everyone who folds: it has a sequence and no effect. */
const fold = (state: RouterActorState, entry: LogEntry): RouterActorState => {
  const events = entry.kind === 'events' ? entry.events : [];
  evolveRouter(state.routing, { sequence: entry.sequence, storedAtMs: entry.storedAtMs, events });
  foldLedger(state.ledger, entry);
  return state;
};

const foldLedger = (ledger: Ledger, entry: LogEntry): void => {
  if (entry.kind === 'poison') return;
  for (const event of entry.events) evolveLedger(ledger, happenedBy(event, entry.storedAtMs), entry.sequence);
};

/** A message that somebody took out of the log, or that has just aged out, has a sequence and no effect. */
const foldNext = (state: RouterActorState, entry: LogEntry, logger: Logger): void => {
  const expected = state.routing.sequence + 1;
  if (entry.sequence > expected) {
    logger.warn({ expected, seen: entry.sequence }, 'messages are missing in the log; their rewards are missing in the state');
    state.routing.sequence = entry.sequence - 1;
  }
  fold(state, entry);
};

const rebuildRouter = async (
  options: Parameters<typeof routerConcern>[0],
  range: { readonly atLeast: Sequence; readonly signal: AbortSignal },
): Promise<Rebuilt<RouterActorState>> => {
  const { log, config, logger } = options;
  const startedMs = Date.now();
  const summed = await options.evidenceSource();
  // Asked after the sums, which grow with the log: they may not seem to be ahead of it.
  const bounds = await log.bounds();
  const last = sequence(Math.max(bounds.last, range.atLeast));
  // A sum that reaches beyond the log belongs to a log that was lost: this log is the truth.
  const base: StateSnapshot = summed !== null && summed.sequence <= last ? summed : emptySnapshot;
  if (base.sequence < bounds.first - 1)
    logger.warn(
      { known: base.sequence, first: bounds.first },
      'the log no longer holds what follows the evidence of ClickHouse, or ClickHouse is away: rewards between are missing in the state',
    );
  const state: RouterActorState = {
    routing: stateOf({ ...base, sequence: Math.max(base.sequence, bounds.first - 1) }),
    ledger: emptyLedger(config.ledger.requests, config.feedback.waiting),
  };
  const from = sequence(Math.max(bounds.first, Math.min(base.sequence + 1, last - config.ledger.rebuildEntries + 1)));
  const waiting = await readWaitingFeedback(options, { first: bounds.first, before: from, nowMs: startedMs, signal: range.signal });
  for (const { event, sequence: at } of waiting) evolveLedger(state.ledger, event, at);
  if (from <= last)
    for await (const entry of log.read({ from, to: last, signal: range.signal })) {
      if (entry.sequence > state.routing.sequence) foldNext(state, entry, logger);
      else foldLedger(state.ledger, entry);
    }
  logger.info(
    {
      sequence: state.routing.sequence,
      fromClickhouse: base.sequence,
      readFrom: from,
      arms: state.routing.evidence.arms.size,
      tookMs: Date.now() - startedMs,
    },
    'router rebuilt',
  );
  return { state, sequence: sequence(state.routing.sequence) };
};
