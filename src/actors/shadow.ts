import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import { admit, leave, openAdmission } from '../domain/shadow/admission.ts';
import { chooseShadow, type ShadowChoice } from '../domain/shadow/choice.ts';
import { similarityMethod, similarityOf } from '../domain/shadow/similarity.ts';
import { worstCase } from '../domain/shadow/worst-case.ts';
import type { Progress } from '../domain/streaming/progress.ts';
import { idempotencyIds, makeEvent, shadowCompleted, type EventOf, type Tenant } from '../events/index.ts';
import type { ProviderCall } from '../providers/provider.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import type { Appender } from './appender.ts';
import { eventContext, type ModelAtWork } from './host-parts.ts';
import { createShadowBudget, type BudgetReply } from './shadow-budget.ts';
import { callShadow, deliveredFigures, type ShadowAnswer } from './shadow-call.ts';
import { createShadowSkips, type SkipReason } from './shadow-skips.ts';

/**
 * Sends some requests, after they have been answered, to a second arm as well, and records how the two answers compare. Explained in docs/shadow.md.
 *
 * 1. A shadow begins when the delivered answer has been recorded, in a later turn of the event loop: nobody waits for it.
 * 2. Its answer leaves this file as figures alone: it is not delivered, kept, cached or rewarded.
 * 3. It is paid for before it is made (shadow-budget.ts). What is over a limit is skipped and counted, never queued.
 * 4. One request has one `shadow.completed`, however often it is tried.
 */
export type Shadower = {
  /** Returns at once and does not throw. */
  readonly follow: (answered: Answered) => void;
  /** Begins nothing more, waits for what is under way, and breaks off what takes longer. */
  readonly drain: (timeoutMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A request whose outcome has been recorded, by this process and just now. */
export type Answered = {
  readonly request: ChatRequest;
  readonly decision: EventOf<'route.decided'>;
  readonly event: EventOf<'response.completed'> | EventOf<'response.failed'>;
  readonly calledAtMs: number;
  readonly progress: Progress;
  readonly text: string;
  /** Where the provider knows it. */
  readonly scoreMicro: number | null;
};

export type ShadowerOptions = {
  readonly instance: string;
  readonly config: Config;
  readonly models: ReadonlyMap<string, ModelAtWork>;
  readonly append: Appender;
  readonly log: Pick<EventLog, 'at'>;
  readonly logger: Logger;
  readonly nowMs: () => number;
};

/** Nobody waits for a shadow, least of all somebody who wants to stop the process. */
const drainPatienceMs = 5_000;
const recordPatienceMs = 5_000;
const lastPatienceMs = 1_000;

/** Null where no tenant has a share. */
export const createShadower = (options: ShadowerOptions): Shadower | null => {
  const { instance, config, models, append, nowMs } = options;
  const { shadow: limits, requests } = config;
  const logger = options.logger.child({ part: 'shadow' });
  const shares = new Map(config.tenants.map(({ id, shadow }) => [id, shadow?.share ?? limits.share]));
  const shareOf = (tenant: Tenant): number => shares.get(tenant) ?? limits.share;
  if (limits.share === 0 && [...shares.values()].every((share) => share === 0)) return null;

  const skips = createShadowSkips({ instance, append, logger, nowMs });
  const budget = createShadowBudget({
    ...options,
    logger,
    budgetUsdPerHour: limits.budgetUsdPerHour,
    duplicateWindowMs: config.log.duplicateWindowSeconds * 1_000,
  });
  const admission = openAdmission(limits, nowMs());
  /** At most `shadow.concurrency`. */
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let isDraining = false;

  const follow = (answered: Answered): void => {
    const { request, decision, event } = answered;
    const choice = chooseShadow(request, shareOf(request.tenant), decision.data);
    if (choice.kind === 'none') return;
    const atWork = choice.kind === 'chosen' ? models.get(choice.model) : undefined;
    const skip = (reason: SkipReason) => {
      skips.count(request.tenant, reason);
    };
    if (choice.kind !== 'chosen' || atWork === undefined) {
      skip('noSecondArm');
      return;
    }
    if (wasBrokenOff(event)) {
      skip('cancelled');
      return;
    }
    const worst = worstCaseOf(answered, atWork);
    // Money first: where there is none, it is not the rate that keeps shadows from being made, and none of it is used up.
    const admitted = isDraining ? 'draining' : budget.mayCover(worst.nanoUsd) ? admit(admission, limits, nowMs()) : 'budget';
    if (admitted !== 'admitted') {
      skip(admitted);
      return;
    }
    const task = cast(answered, choice, atWork, worst, skip)
      .catch((error: unknown) => {
        logger.warn({ err: error, requestId: request.requestId, tenant: request.tenant }, 'a shadow could not be recorded');
      })
      .finally(() => {
        leave(admission);
        underWay.delete(task);
      });
    underWay.add(task);
  };

  const worstCaseOf = ({ decision }: Answered, { config: { price }, provider: { dearestAnswerNanoUsd } }: ModelAtWork) => {
    const { features, maxOutputTokens } = decision.data;
    const { promptTokensEstimate, messageCount } = features;
    return worstCase({ promptTokensEstimate, messageCount, maxOutputTokens }, { price, dearestAnswerNanoUsd }, limits.answerTokens);
  };

  const cast = async (
    answered: Answered,
    choice: Extract<ShadowChoice, { kind: 'chosen' }>,
    atWork: ModelAtWork,
    worst: ReturnType<typeof worstCase>,
    skip: (reason: SkipReason) => void,
  ): Promise<void> => {
    // The end of the delivered answer goes out first.
    await nextTurn();
    const { request, decision } = answered;
    const { promptTokensEstimate } = decision.data.features;
    const reply = await budget.reserve(worst.nanoUsd);
    if (reply.kind !== 'reserved') {
      skip(reply.kind === 'not-covered' ? 'budget' : 'unavailable');
      return;
    }
    const answer = await callShadow(atWork, callOf(request), { promptTokensEstimate, answerTokens: worst.answerTokens, nowMs, logger });
    const { costNanoUsd } = answer.figures;
    // What nobody knows is taken to be all that was reserved.
    const spentNanoUsd = answer.isBillKnown ? costNanoUsd : Math.max(costNanoUsd, reply.reservation.nanoUsd);
    const overrunNanoUsd = budget.settle(reply.reservation, spentNanoUsd);
    await append([completedEvent(answered, choice, atWork, { answer, reply, overrunNanoUsd })], {
      idempotencyId: idempotencyIds.shadow(request.tenant, request.requestId),
      untilMs: Date.now() + (stopping.signal.aborted ? lastPatienceMs : recordPatienceMs),
    });
  };

  const completedEvent = (
    { request, decision, event, text, ...measured }: Answered,
    { arm, model, propensity }: Extract<ShadowChoice, { kind: 'chosen' }>,
    { provider }: ModelAtWork,
    made: { readonly answer: ShadowAnswer; readonly reply: Extract<BudgetReply, { kind: 'reserved' }>; readonly overrunNanoUsd: number },
  ): EventOf<'shadow.completed'> =>
    makeEvent(shadowCompleted, eventContext({ instance, nowMs }, request, decision.id), {
      question: decision.data.question,
      streamed: request.streamed,
      share: shareOf(request.tenant),
      propensity,
      delivered: { arm: decision.data.arm, model: decision.data.model, ...deliveredFigures({ event, ...measured }) },
      shadow: { arm, model, ...made.answer.figures, simulated: provider.simulated },
      similarity: similarityOf(text, made.answer.text),
      similarityMethod,
      reservedNanoUsd: made.reply.reservation.nanoUsd,
      overrunNanoUsd: made.overrunNanoUsd,
    });

  const callOf = ({ requestId, messages, parameters, streamed, traceparent }: ChatRequest): ProviderCall => ({
    requestId,
    messages,
    parameters,
    streamed,
    deadlines: { firstTokenMs: requests.firstTokenMs, idleMs: requests.idleMs, totalMs: requests.deadlineMs },
    maxAnswerBytes: requests.answerBytes,
    traceparent,
    signal: stopping.signal,
  });

  const drain = async (timeoutMs: number): Promise<void> => {
    isDraining = true;
    const timer = setTimeout(
      () => {
        stopping.abort();
      },
      Math.max(0, Math.min(timeoutMs, drainPatienceMs)),
    );
    await Promise.all(underWay);
    clearTimeout(timer);
  };

  return {
    follow,
    drain,
    close: async () => {
      await drain(0);
      await skips.close();
    },
  };
};

/** The model had no chance to end: what came until then compares with nothing. */
const wasBrokenOff = (event: Answered['event']): boolean =>
  event.type === 'response.failed' && (event.data.code === 'cancelled' || event.data.code === 'interrupted');
