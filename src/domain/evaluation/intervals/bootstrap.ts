/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays of one length, and these are hot loops */
import { InvariantError } from '../../../errors.ts';
import { seededRandom } from '../../random.ts';
import type { Interval } from './interval.ts';

/**
 * Percentile bootstrap by groups (Efron, "Bootstrap methods: another look at the jackknife", 1979; groups in place of records that depend on each other: Davison and Hinkley, "Bootstrap methods and their application", 1997,
 * section 3.8). Groups are drawn with replacement as often as there are groups, the same draws for all estimators, and every estimator is worked out again:
 *
 *   value = sum over its ratios of (sum over drawn groups of numerator) / (sum over drawn groups of denominator)
 *
 * Low and high are the quantiles of these values at alpha / 2 and 1 - alpha / 2, by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). The guarantee is asymptotic, in the number of groups: few records of
 * large weight make intervals too narrow.
 */
export type Ratio = {
  /** Entry g belongs to group g. */
  readonly numerator: Float64Array;
  /** Records in the group for plain means, sum of weights for normalised ones. A column that serves many estimators is added up once. */
  readonly denominator: Float64Array;
};

export type BootstrapOptions = { readonly alpha: number; readonly seed: string | number; readonly resamples?: number };

/** `mean` of the resampled values. Null: in some resample nothing was drawn that has a weight; so little overlaps that the bootstrap cannot speak. */
export type BootstrapInterval = (Interval & { readonly mean: number }) | null;

const usualResamples = 1_000;
export const mostGroups = 16_384;

/** `estimators`: of each its ratios, at least one. Intervals come in the same order. Time grows with resamples x groups x columns, memory with resamples x columns. */
export const bootstrapIntervals = (
  estimators: readonly (readonly Ratio[])[],
  { alpha, seed, resamples = usualResamples }: BootstrapOptions,
): readonly BootstrapInterval[] => {
  const columns = [...new Set(estimators.flat().flatMap(({ numerator, denominator }) => [numerator, denominator]))];
  const groups = columns[0]?.length ?? 1;
  check(columns, groups, alpha, resamples);
  const sums = new Map(columns.map((column) => [column, new Float64Array(resamples)]));
  const random = seededRandom(seed);
  for (let first = 0; first < resamples; first += together) {
    const counts = Array.from({ length: together }, () => drawn(groups, random));
    for (const [column, into] of sums) addUp(column, counts, into, first);
  }
  return estimators.map((ratios) => {
    const values = new Float64Array(resamples);
    for (const { numerator, denominator } of ratios) {
      const above = sums.get(numerator)!;
      const below = sums.get(denominator)!;
      if (below.includes(0)) return null;
      for (let b = 0; b < resamples; b++) values[b]! += above[b]! / below[b]!;
    }
    return intervalOf(values, alpha);
  });
};

/** Resamples that are worked out in one pass over a column, so that it is read from memory once for all of them. */
const together = 4;

/** How often each group is drawn: a multinomial of `groups` draws. */
const drawn = (groups: number, random: () => number): Float64Array => {
  const counts = new Float64Array(groups);
  for (let draw = 0; draw < groups; draw++) {
    const group = Math.floor(random() * groups);
    counts[group]!++;
  }
  return counts;
};

/** The last pass may work out more than was asked for; writes beyond the end of a typed array do nothing. */
const addUp = (column: Float64Array, counts: readonly Float64Array[], into: Float64Array, first: number): void => {
  const [a, b, c, d] = [counts[0]!, counts[1]!, counts[2]!, counts[3]!];
  let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
  for (let group = 0; group < column.length; group++) {
    const value = column[group]!;
    sumA += value * a[group]!;
    sumB += value * b[group]!;
    sumC += value * c[group]!;
    sumD += value * d[group]!;
  }
  into[first] = sumA;
  into[first + 1] = sumB;
  into[first + 2] = sumC;
  into[first + 3] = sumD;
};

const intervalOf = (values: Float64Array, alpha: number): Interval & { readonly mean: number } => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  values.sort();
  return { mean, low: quantile(values, alpha / 2), high: quantile(values, 1 - alpha / 2) };
};

const quantile = (sorted: Float64Array, share: number): number => {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
};

const check = (columns: readonly Float64Array[], groups: number, alpha: number, resamples: number): void => {
  if (columns.some(({ length }) => length !== groups || length < 1 || length > mostGroups))
    throw new InvariantError(
      `expected columns of one length from 1 to ${mostGroups} groups, got ${[...new Set(columns.map(({ length }) => length))].join(', ')}`,
    );
  if (!(alpha > 0 && alpha < 1)) throw new InvariantError(`expected an error probability between 0 and 1, got ${alpha}`);
  if (!Number.isInteger(resamples) || resamples < 1 || resamples > mostResamples)
    throw new InvariantError(`expected 1 to ${mostResamples} resamples, got ${resamples}`);
};

const mostResamples = 100_000;
