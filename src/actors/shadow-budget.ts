import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import { mayCover, openPurse, purseLimits, receiveBlock, reserve, settle, type Reservation } from '../domain/shadow/purse.ts';
import { TransientError } from '../errors.ts';
import { idempotencyIds, makeEvent, shadowGranted, systemTenant, type Sequence } from '../events/index.ts';
import type { Appender } from './appender.ts';

/**
 * The purse of this process, filled from the log. A block is taken by appending `shadow.granted` under the id of window and number: the log refuses the second who tries.
 *
 * It refuses for as long as its duplicate window lasts, by its own clock. So a grant counts only if the log stored it between a little before its window and a little after, and
 * window and margins together are as long as the duplicate window: of two grants of one block that both count, the second is a duplicate. Clocks of processes that
 * are wrong by more than the margin lose blocks, and never gain one. A process that dies loses what it had.
 */
export type ShadowBudget = {
  /** False when the budget of this window cannot cover so much, as far as this process knows. Nothing is reserved and nobody asked. */
  readonly mayCover: (nanoUsd: number) => boolean;
  /** `unavailable`: the log could not be asked. */
  readonly reserve: (nanoUsd: number) => Promise<BudgetReply>;
  /** Returns by how much the call cost more than was reserved. */
  readonly settle: (reservation: Reservation, spentNanoUsd: number) => number;
};

export type BudgetReply =
  { readonly kind: 'reserved'; readonly reservation: Reservation } | { readonly kind: 'not-covered' } | { readonly kind: 'unavailable' };

const longestWindowMs = 240_000;
/** The rest is margin, before and after. */
const windowOfDuplicateWindow = 0.8;
const grantPatienceMs = 2_000;

export const createShadowBudget = (options: {
  readonly instance: string;
  readonly budgetUsdPerHour: number;
  readonly duplicateWindowMs: number;
  readonly append: Appender;
  readonly log: Pick<EventLog, 'at'>;
  readonly logger: Logger;
  readonly nowMs: () => number;
}): ShadowBudget => {
  const { instance, duplicateWindowMs, append, log, logger, nowMs } = options;
  const windowMs = Math.min(longestWindowMs, Math.floor(windowOfDuplicateWindow * duplicateWindowMs));
  const marginMs = (duplicateWindowMs - windowMs) / 2;
  const limits = purseLimits(options.budgetUsdPerHour, windowMs);
  const purse = openPurse(limits, nowMs());

  const countsFor = async (windowStartMs: number, at: Sequence): Promise<boolean> => {
    const storedAtMs = (await log.at(at))?.storedAtMs;
    if (storedAtMs !== undefined && storedAtMs >= windowStartMs - marginMs && storedAtMs < windowStartMs + windowMs + marginMs) return true;
    logger.warn(
      { windowStartMs, storedAtMs },
      'a block of the budget was stored outside its window and is lost: the clocks of this process and of the log differ',
    );
    return false;
  };

  const takeBlock = async (windowStartMs: number, block: number): Promise<void> => {
    const event = makeEvent(
      shadowGranted,
      { tenant: systemTenant, requestId: `shadow:${windowStartMs}`, source: `switchyard/${instance}`, timeMs: nowMs() },
      { windowStart: new Date(windowStartMs).toISOString(), ...limits, block, host: instance },
    );
    const appended = await append([event], {
      idempotencyId: idempotencyIds.shadowBlock(windowStartMs, block),
      untilMs: Date.now() + grantPatienceMs,
    });
    if (appended.kind === 'duplicate') receiveBlock(purse, { windowStartMs, block, won: false }, limits);
    else if (await countsFor(windowStartMs, appended.sequence)) receiveBlock(purse, { windowStartMs, block, won: true }, limits);
    // The clock will not be right for the next block either: the rest of the window is left to others.
    else receiveBlock(purse, { windowStartMs, block: limits.blocks - 1, won: false }, limits);
  };

  // One at a time: calls that wait for money share what comes.
  let taking: Promise<void> | null = null;

  return {
    mayCover: (nanoUsd) => mayCover(purse, nanoUsd, limits, nowMs()),
    reserve: async (nanoUsd) => {
      try {
        for (;;) {
          const reserved = reserve(purse, nanoUsd, limits, nowMs());
          if (reserved.kind !== 'take') return reserved;
          taking ??= takeBlock(reserved.windowStartMs, reserved.block).finally(() => {
            taking = null;
          });
          await taking;
        }
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        logger.debug({ err: error }, 'the log could not be asked for a block of the budget');
        return { kind: 'unavailable' };
      }
    },
    settle: (reservation, spentNanoUsd) => settle(purse, reservation, spentNanoUsd, limits, nowMs()),
  };
};
