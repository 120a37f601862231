import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../bus/event-log.ts';
import { TransientError } from '../errors.ts';

/**
 * Waits until the log has come to rest and its last message is in ClickHouse. Rest is `quietMs` without a new message: revisions of rewards are
 * appended by the router after the answer. Bounded by progress: gives up when nothing has moved for `patienceMs`.
 */
export type Drain = {
  readonly log: EventLog;
  /** Sequence of the last message in ClickHouse, 0 when it holds none. */
  readonly projectedSequence: () => Promise<number>;
  /** Asked once all is projected: whether the log itself still owes something. Without it rest is enough. */
  readonly isSettled?: () => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly onLook?: (behind: number) => void;
  readonly quietMs?: number;
  readonly patienceMs?: number;
};

/** `elapsedMs`: until ClickHouse had the last message, without the wait for quiet. */
export type Drained = { readonly lastSequence: number; readonly elapsedMs: number };

const lookEveryMs = 100;

export const drain = async (options: Drain): Promise<Drained> => {
  const { log, projectedSequence, isSettled, signal, onLook, quietMs = 700, patienceMs = 60_000 } = options;
  const beganMs = performance.now();
  let movedMs = beganMs;
  let appendedMs = beganMs;
  let last = -1;
  let projected = -1;
  let caughtUpMs: number | null = null;
  for (;;) {
    signal.throwIfAborted();
    const lastNow = (await log.bounds()).last;
    const projectedNow = await projectedSequence();
    const nowMs = performance.now();
    if (lastNow !== last) appendedMs = nowMs;
    if (lastNow !== last || projectedNow !== projected) movedMs = nowMs;
    last = lastNow;
    projected = projectedNow;
    caughtUpMs = projected < last ? null : (caughtUpMs ?? nowMs);
    onLook?.(Math.max(0, last - projected));
    if (caughtUpMs !== null && nowMs - appendedMs >= quietMs && (isSettled === undefined || (await isSettled())))
      return { lastSequence: last, elapsedMs: caughtUpMs - beganMs };
    if (nowMs - movedMs > patienceMs)
      throw new TransientError(
        'not-drained',
        projected >= last
          ? `expected every judgement to become a reward, but the log has stood at sequence ${last} for ${Math.round(patienceMs / 1_000)} s without it`
          : `expected ClickHouse to reach sequence ${last} of the log, but it has stood at ${projected} for ${Math.round(patienceMs / 1_000)} s`,
        patienceMs,
      );
    await sleep(lookEveryMs);
  }
};
