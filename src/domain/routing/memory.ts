import { noSums, partition, type ReadMemo, type Series, type Sums } from './evidence.ts';
import { tickMs } from './time-blocks.ts';

/**
 * How the past is weighed. Evidence is halved in weight with each half-life of event time, and what lies before the tick `sinceTick` (a change point) does not count.
 *
 * Sums are always taken over the same blocks in the same order, so that every process that has folded the same events reads the same numbers, whatever it read before.
 */
export type Reading = { readonly nowTick: number; readonly halfLifeTicks: number | null; readonly sinceTick: number };

export const halfLifeTicks = (halfLifeSeconds: number | null): number | null =>
  halfLifeSeconds === null ? null : (halfLifeSeconds * 1_000) / tickMs;

/** The weighted sums of one series. The result belongs to the series: it is valid until the next reading, and must not be changed. */
export const read = (series: Series, latestTick: number, reading: Reading): Sums => {
  const { halfLifeTicks: halfLife, sinceTick, nowTick } = reading;
  if (halfLife === null && sinceTick === 0) return series.total;
  partition(series, latestTick);
  const memo = memoOf(series, halfLife);
  // Without decay the moment of reading does not matter.
  const tick = halfLife === null ? 0 : nowTick;
  if (memo.version === series.version && memo.closedVersion === series.closedVersion && memo.tick === tick && memo.since === sinceTick) return memo.sums;
  const { blocks } = series;
  const last = blocks.at(-1);
  if (memo.closedVersion !== series.closedVersion || memo.tick !== tick || memo.since !== sinceTick) {
    memo.closed.fill(0);
    for (let i = 0; i < blocks.length - 1; i++) addWeighted(memo.closed, blocks[i], halfLife, tick, sinceTick);
  }
  memo.sums.set(memo.closed);
  addWeighted(memo.sums, last, halfLife, tick, sinceTick);
  memo.version = series.version;
  memo.closedVersion = series.closedVersion;
  memo.tick = tick;
  memo.since = sinceTick;
  return memo.sums;
};

const addWeighted = (
  sums: Sums,
  block: { readonly start: number; readonly span: number; readonly sums: Sums } | undefined,
  halfLife: number | null,
  tick: number,
  sinceTick: number,
): void => {
  // A block that holds the change point counts: what came after it is in there too.
  if (block === undefined || block.start + block.span <= sinceTick) return;
  const weight = halfLife === null ? 1 : 2 ** (-Math.max(0, tick - (block.start + (block.span - 1) / 2)) / halfLife);
  const { sums: terms } = block;
  for (let i = 0; i < terms.length; i++) sums[i] = (sums[i] ?? 0) + weight * (terms[i] ?? 0);
};

/** Policies with different half-lives may read the same evidence: a stable one and its canary, and some more that are being explained. */
const memoLimit = 8;

const memoOf = (series: Series, halfLife: number | null): ReadMemo => {
  const key = String(halfLife);
  const known = series.memo.get(key);
  if (known !== undefined) return known;
  if (series.memo.size >= memoLimit) series.memo.clear();
  const made: ReadMemo = { closedVersion: -1, version: -1, tick: -1, since: -1, closed: noSums(), sums: noSums() };
  series.memo.set(key, made);
  return made;
};
