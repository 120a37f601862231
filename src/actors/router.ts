import type { Logger } from 'pino';
import { z } from 'zod';
import type { EventLog, LogEntry } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import type { ArmEvidence, EvidenceAt } from '../domain/routing/evidence.ts';
import { emptyLedger, evolveLedger, type Ledger } from '../domain/routing/ledger.ts';
import {
  decideFeedback,
  findRequest,
  openDecisions,
  waitingFeedback,
  type FeedbackVerdict,
  type KnownRequest,
  type OpenDecision,
} from '../domain/routing/ledger-questions.ts';
import { decideRoute, evolveRouter, routerStateOf, type RouterState } from '../domain/routing/router.ts';
import { requestIdSchema, sequence, tenantSchema, type EventOf, type Sequence } from '../events/index.ts';
import { featuresSchema } from '../events/schemas/route.ts';
import type { Concern, Rebuilt } from './concern.ts';
import { rewardConfigOf, type RouteReply } from './host-parts.ts';
import { policyOf } from './policy.ts';

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
      features: featuresSchema,
      maxOutputTokens: z.number().min(0),
      draw: z.number().min(0).lt(1),
    }),
  }),
  z.object({ type: z.literal('find'), tenant: tenantSchema, requestId: requestIdSchema }),
  z.object({ type: z.literal('state') }),
]);

export type RouterCommand =
  | z.infer<typeof routerCommandSchema>
  | { readonly type: 'feedback'; readonly event: EventOf<'feedback.received'> }
  | { readonly type: 'pending-feedback'; readonly beforeMs: number; readonly limit: number; readonly skip: (eventId: string) => boolean }
  | { readonly type: 'open'; readonly beforeMs: number; readonly limit: number };

export type RouterReply =
  | { readonly kind: 'route'; readonly route: RouteReply }
  | { readonly kind: 'found'; readonly known: KnownRequest | null }
  | { readonly kind: 'feedback'; readonly verdict: FeedbackVerdict }
  | { readonly kind: 'pending-feedback'; readonly events: readonly EventOf<'feedback.received'>[] }
  | { readonly kind: 'open'; readonly decisions: readonly OpenDecision[] }
  | {
      readonly kind: 'state';
      readonly sequence: number;
      readonly evidence: Readonly<Record<string, ArmEvidence>>;
      readonly requestsKnown: number;
      readonly requestsForgotten: number;
      readonly openDecisions: number;
    };

export const routerConcern = (options: {
  readonly config: Config;
  readonly log: EventLog;
  readonly evidenceSource: () => Promise<EvidenceAt | null>;
  readonly logger: Logger;
}): Concern<RouterActorState, RouterCommand, RouterReply> => {
  const { config } = options;
  const policy = policyOf(config);
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
          return { kind: 'route', route: decideRoute({ ...question, weights }, policy, routing) };
        }
        case 'find':
          return { kind: 'found', known: findRequest(ledger, command.tenant, command.requestId) };
        case 'feedback':
          return { kind: 'feedback', verdict: decideFeedback(ledger, command.event, rewardConfigOf(config, command.event.tenant).weights) };
        case 'pending-feedback':
          return { kind: 'pending-feedback', events: waitingFeedback(ledger, command) };
        case 'open':
          return { kind: 'open', decisions: openDecisions(ledger, command) };
        case 'state':
          return {
            kind: 'state',
            sequence: routing.sequence,
            evidence: Object.fromEntries(routing.evidence),
            requestsKnown: ledger.requests.size,
            requestsForgotten: ledger.forgotten,
            openDecisions: ledger.open.size,
          };
      }
    },
    evolve: fold,
  };
};

/** Folds an entry in place. What cannot be read is skipped by everyone who folds: it has a sequence and no effect. */
const fold = (state: RouterActorState, entry: LogEntry): RouterActorState => {
  const events = entry.kind === 'events' ? entry.events : [];
  evolveRouter(state.routing, { sequence: entry.sequence, events });
  for (const event of events) evolveLedger(state.ledger, event, entry.sequence);
  return state;
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
  const base: EvidenceAt = summed !== null && summed.sequence <= last ? summed : { sequence: 0, evidence: new Map() };
  if (base.sequence < bounds.first - 1)
    logger.warn(
      { known: base.sequence, first: bounds.first },
      'the log no longer holds what follows the evidence of ClickHouse, or ClickHouse is away: rewards between are missing in the state',
    );
  const state: RouterActorState = {
    routing: routerStateOf({ ...base, sequence: Math.max(base.sequence, bounds.first - 1) }),
    ledger: emptyLedger(config.ledger.requests),
  };
  const from = sequence(Math.max(bounds.first, Math.min(base.sequence + 1, last - config.ledger.rebuildEntries + 1)));
  if (from <= last)
    for await (const entry of log.read({ from, to: last, signal: range.signal })) {
      if (entry.sequence > state.routing.sequence) foldNext(state, entry, logger);
      else if (entry.kind === 'events') for (const event of entry.events) evolveLedger(state.ledger, event, entry.sequence);
    }
  logger.info(
    {
      sequence: state.routing.sequence,
      fromClickhouse: base.sequence,
      readFrom: from,
      arms: state.routing.evidence.size,
      tookMs: Date.now() - startedMs,
    },
    'router rebuilt',
  );
  return { state, sequence: sequence(state.routing.sequence) };
};
