import type { Logger } from 'pino';

/**
 * The clock of the log, as far as this process knows it. The log stamps each message with the moment it stored it, decisions are dated by that clock, and evidence is filed under no later moment than its message was stored
 * (domain/routing/filing.ts). An acknowledgement does not name that moment, so some messages of this process are read back (`saw`), at least one in each tick in which rewards are recorded.
 *
 * 1. What is appended later is stored at `reachedMs` or later: the log's clock runs forward, up to what clocks of a cluster's servers differ by.
 * 2. A clock of the log that was set back ends the process's knowledge: `onSetBack` is called, and what was folded has to be folded anew.
 */
export type LogClock = {
  /** Milliseconds since 1970: this host's clock, less what it was seen to run ahead of the log's, or more what it lags. */
  readonly nowMs: () => number;
  /** -Infinity while nothing is known, or nothing was seen of late. */
  readonly reachedMs: () => number;
  readonly saw: (message: Sighting) => void;
};

/** A message of this process at its place in the log: sent and acknowledged by this host's clock, stored by the log's. */
export type Sighting = {
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly acknowledgedAtMs: number;
  readonly storedAtMs: number;
};

/** Servers of one cluster, whose clocks are kept by NTP, part by less. */
const serversPartMs = 200;
/** What was seen longer ago says nothing any more: the log's clock may have been set back since. */
const validMs = 16_000;
const noticeableMs = 1_000;

export const createLogClock = (options: {
  readonly hostMs: () => number;
  readonly logger: Logger;
  readonly onSetBack: (reason: string) => void;
  /** Runs forward only. */
  readonly runningMs?: () => number;
}): LogClock => {
  const { hostMs, logger, onSetBack, runningMs = () => performance.now() } = options;
  let aheadMs = 0;
  let lastSeen = 0;
  let reachedMs = Number.NEGATIVE_INFINITY;
  let seenAtMs = Number.NEGATIVE_INFINITY;

  return {
    nowMs: () => hostMs() - aheadMs,
    reachedMs: () => (runningMs() - seenAtMs < validMs ? reachedMs : Number.NEGATIVE_INFINITY),
    saw: ({ sequence, sentAtMs, acknowledgedAtMs, storedAtMs }) => {
      // They are read side by side: an earlier one may be seen later.
      if (sequence > lastSeen && storedAtMs < reachedMs)
        onSetBack(`the clock of the log was set back by ${reachedMs - storedAtMs} ms or more`);
      lastSeen = Math.max(lastSeen, sequence);
      reachedMs = Math.max(reachedMs, storedAtMs - serversPartMs);
      seenAtMs = runningMs();
      // It was stored between the two; the log's moment is cut to the millisecond.
      const before = aheadMs;
      aheadMs = Math.min(Math.max(aheadMs, sentAtMs - storedAtMs - 1), acknowledgedAtMs - storedAtMs);
      if (Math.abs(aheadMs - before) >= noticeableMs)
        logger.warn({ aheadMs }, 'the clocks of this host and of the log differ; decisions are dated by that of the log');
    },
  };
};
