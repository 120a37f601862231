import { partition, type ReadMemo, type Series } from './series.ts';
import { fieldCount, learnedFields, type Sums } from './sums.ts';
import { tickMs } from './time-blocks.ts';

/**
 * How the past is weighed. Evidence is halved in weight with each half-life of event time, and what lies before the tick `sinceTick` (a change point) does not count.
 *
 * Sums are always taken over the same blocks in the same order, so that every process that has folded the same events reads the same numbers, whatever it read before.
 */
export type Reading = { readonly nowTick: number; readonly decay: Decay | null; readonly sinceTick: number };

/** Weights by age, for one half-life. The same few hundred ages are asked for again and again, and a power takes longer than the sums it weighs: the latest answers are kept. */
export type Decay = { readonly halfLifeTicks: number; readonly ages: Float64Array; readonly weights: Float64Array };

const keptWeights = 1_024;

export const decayOf = (halfLifeSeconds: number | null): Decay | null =>
  halfLifeSeconds === null
    ? null
    : {
        halfLifeTicks: (halfLifeSeconds * 1_000) / tickMs,
        ages: new Float64Array(keptWeights).fill(-1),
        weights: new Float64Array(keptWeights),
      };

/** Age in half ticks, a whole number. */
const weightAt = ({ halfLifeTicks, ages, weights }: Decay, age: number): number => {
  const place = age % keptWeights;
  if (ages[place] !== age) {
    ages[place] = age;
    weights[place] = 2 ** (-age / 2 / halfLifeTicks);
  }
  return weights[place] ?? 0;
};

/** The weighted sums of one series, of the `learnedFields`. The result belongs to the series: it is valid until the next reading, and must not be changed. */
export const read = (series: Series, latestTick: number, reading: Reading): Sums => {
  const { decay, sinceTick, nowTick } = reading;
  if (decay === null && sinceTick === 0) return series.total;
  partition(series, latestTick);
  const memo = memoOf(series, decay?.halfLifeTicks ?? null);
  const tick = readingTick(nowTick, decay);
  const isSame = memo.closedVersion === series.closedVersion && memo.tick === tick && memo.since === sinceTick;
  if (isSame && memo.version === series.version) return memo.sums;
  if (!isSame) {
    memo.closed.fill(0);
    memo.closedBlocks = 0;
  }
  const last = series.starts.length - 1;
  for (; memo.closedBlocks < last; memo.closedBlocks++) addWeighted(memo.closed, series, memo.closedBlocks, decay, tick, sinceTick);
  memo.sums.set(memo.closed);
  if (last >= 0) addWeighted(memo.sums, series, last, decay, tick, sinceTick);
  memo.version = series.version;
  memo.closedVersion = series.closedVersion;
  memo.tick = tick;
  memo.since = sinceTick;
  return memo.sums;
};

/** Decay proceeds in steps of at most a 64th of the half-life, so that what is settled need not be weighed again at each tick. Without decay the moment of reading does not matter. */
const readingTick = (nowTick: number, decay: Decay | null): number => {
  if (decay === null) return 0;
  const steps = Math.max(1, Math.floor(decay.halfLifeTicks / 64));
  return nowTick - (nowTick % steps);
};

const addWeighted = (into: Sums, series: Series, block: number, decay: Decay | null, tick: number, sinceTick: number): void => {
  const start = series.starts[block] ?? 0;
  const span = series.spans[block] ?? 1;
  // A block that holds the change point counts: what came after it is in there too.
  if (start + span <= sinceTick) return;
  const weight = decay === null ? 1 : weightAt(decay, Math.max(0, 2 * (tick - start) - (span - 1)));
  const { sums } = series;
  const at = block * fieldCount;
  for (let i = 0; i < learnedFields; i++) into[i] = (into[i] ?? 0) + weight * (sums[at + i] ?? 0);
};

/** Policies with different half-lives may read the same evidence: a stable one and its canary, and some more that are being explained. */
const memoLimit = 8;

const noLearnedSums = (): Sums => new Float64Array(learnedFields);

const memoOf = (series: Series, halfLife: number | null): ReadMemo => {
  const known = series.memo.get(halfLife);
  if (known !== undefined) return known;
  if (series.memo.size >= memoLimit) series.memo.clear();
  const made: ReadMemo = {
    closedVersion: -1,
    version: -1,
    tick: -1,
    since: -1,
    closed: noLearnedSums(),
    closedBlocks: 0,
    sums: noLearnedSums(),
  };
  series.memo.set(halfLife, made);
  return made;
};
