/**
 * The money that one process may spend on shadows. It comes in blocks of a window of time, each of which the log gives to one process; the worst case of a call is
 * reserved before it is made and settled to what it cost.
 *
 * 1. What is reserved and spent in a window is never more than the blocks that were granted in it. So all processes together stay within blocks x block of each window.
 * 2. What is left when the window ends is gone: nothing has to be given back, so nothing can be given back twice.
 * 3. A call that cost more than was reserved is a debt. It is paid first, from what is free and from the next blocks; while there is one, nothing new is reserved.
 *
 * Changed in place. Whole numbers of nano-dollars.
 */
export type Purse = {
  windowStartMs: number;
  /** The next block that may be free; lower ones were taken by somebody. */
  nextBlock: number;
  freeNanoUsd: number;
  debtNanoUsd: number;
};

export type PurseLimits = { readonly windowMs: number; readonly blocks: number; readonly blockNanoUsd: number };

export type Reservation = { readonly windowStartMs: number; readonly nanoUsd: number };

/** Blocks of a window: enough for several processes to have some each, few enough that granting costs nothing. */
const blocksOfWindow = 20;
const nanoUsdPerUsd = 1e9;
const msPerHour = 3_600_000;

export const purseLimits = (budgetUsdPerHour: number, windowMs: number): PurseLimits => ({
  windowMs,
  blocks: blocksOfWindow,
  blockNanoUsd: Math.floor((budgetUsdPerHour * nanoUsdPerUsd * (windowMs / msPerHour)) / blocksOfWindow),
});

export const openPurse = ({ windowMs }: PurseLimits, nowMs: number): Purse => ({
  windowStartMs: windowStartOf(nowMs, windowMs),
  nextBlock: 0,
  freeNanoUsd: 0,
  debtNanoUsd: 0,
});

export type Reserved =
  | { readonly kind: 'reserved'; readonly reservation: Reservation }
  /** Take this block and ask again. */
  | { readonly kind: 'take'; readonly windowStartMs: number; readonly block: number }
  | { readonly kind: 'not-covered' };

/** Reserves, or says which block to take for it. No block is taken for a call that the rest of the window could not cover. */
export const reserve = (purse: Purse, nanoUsd: number, limits: PurseLimits, nowMs: number): Reserved => {
  turn(purse, limits, nowMs);
  if (purse.debtNanoUsd === 0 && nanoUsd <= purse.freeNanoUsd) {
    purse.freeNanoUsd -= nanoUsd;
    return { kind: 'reserved', reservation: { windowStartMs: purse.windowStartMs, nanoUsd } };
  }
  if (!isWithinReach(purse, nanoUsd, limits)) return { kind: 'not-covered' };
  return { kind: 'take', windowStartMs: purse.windowStartMs, block: purse.nextBlock };
};

/** Whether there is any use in asking for so much in this window. Nothing is reserved. */
export const mayCover = (purse: Purse, nanoUsd: number, limits: PurseLimits, nowMs: number): boolean => {
  turn(purse, limits, nowMs);
  return (purse.debtNanoUsd === 0 && nanoUsd <= purse.freeNanoUsd) || isWithinReach(purse, nanoUsd, limits);
};

/** With the blocks that may still be free. A debt is paid as soon as there is a block, whether or not this call can still be made. */
const isWithinReach = (purse: Purse, nanoUsd: number, { blockNanoUsd, blocks }: PurseLimits): boolean => {
  const left = blockNanoUsd * (blocks - purse.nextBlock);
  return left > 0 && (purse.debtNanoUsd > 0 || purse.freeNanoUsd + left >= nanoUsd);
};

/** The log's answer for a block: `won` when it is this process's. An answer for a window that has ended since counts for nothing. */
export const receiveBlock = (
  purse: Purse,
  taken: { readonly windowStartMs: number; readonly block: number; readonly won: boolean },
  limits: PurseLimits,
): void => {
  if (taken.windowStartMs !== purse.windowStartMs) return;
  purse.nextBlock = Math.max(purse.nextBlock, taken.block + 1);
  if (taken.won) gain(purse, limits.blockNanoUsd);
};

/** Gives back what was not needed; returns by how much the call cost more than was reserved. */
export const settle = (
  purse: Purse,
  { windowStartMs, nanoUsd }: Reservation,
  spentNanoUsd: number,
  limits: PurseLimits,
  nowMs: number,
): number => {
  turn(purse, limits, nowMs);
  const overrun = Math.max(0, spentNanoUsd - nanoUsd);
  if (overrun > 0) {
    purse.debtNanoUsd += overrun;
    gain(purse, 0);
  } else if (windowStartMs === purse.windowStartMs) gain(purse, nanoUsd - spentNanoUsd);
  return overrun;
};

/** Debts come first. */
const gain = (purse: Purse, nanoUsd: number): void => {
  const have = purse.freeNanoUsd + nanoUsd;
  const paid = Math.min(have, purse.debtNanoUsd);
  purse.freeNanoUsd = have - paid;
  purse.debtNanoUsd -= paid;
};

const turn = (purse: Purse, { windowMs }: PurseLimits, nowMs: number): void => {
  const windowStartMs = windowStartOf(nowMs, windowMs);
  // A clock that was set back comes to a window that it has seen: the log says that its blocks are taken.
  if (windowStartMs === purse.windowStartMs) return;
  purse.windowStartMs = windowStartMs;
  purse.nextBlock = 0;
  purse.freeNanoUsd = 0;
};

const windowStartOf = (nowMs: number, windowMs: number): number => Math.floor(nowMs / windowMs) * windowMs;
