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
  const tick = readingTick(nowTick, halfLife);
  const isSame = memo.closedVersion === series.closedVersion && memo.tick === tick && memo.since === sinceTick;
  if (isSame && memo.version === series.version) return memo.sums;
  if (!isSame) {
    memo.closed.fill(0);
    memo.closedBlocks = 0;
  }
  const { blocks } = series;
  for (; memo.closedBlocks < blocks.length - 1; memo.closedBlocks++)
    addWeighted(memo.closed, blocks[memo.closedBlocks], halfLife, tick, sinceTick);
  memo.sums.set(memo.closed);
  addWeighted(memo.sums, blocks.at(-1), halfLife, tick, sinceTick);
  memo.version = series.version;
  memo.closedVersion = series.closedVersion;
  memo.tick = tick;
  memo.since = sinceTick;
  return memo.sums;
};

/** Decay proceeds in steps of at most a 64th of the half-life, so that what is settled need not be weighed again at each tick. Without decay the moment of reading does not matter. */
const readingTick = (nowTick: number, halfLife: number | null): number => {
  if (halfLife === null) return 0;
  const steps = Math.max(1, Math.floor(halfLife / 64));
  return nowTick - (nowTick % steps);
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
  const known = series.memo.get(halfLife);
  if (known !== undefined) return known;
  if (series.memo.size >= memoLimit) series.memo.clear();
  const made: ReadMemo = { closedVersion: -1, version: -1, tick: -1, since: -1, closed: noSums(), closedBlocks: 0, sums: noSums() };
  series.memo.set(halfLife, made);
  return made;
};
