/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within the first entries of a column, and these loops run for every record and estimator */
import { addTo, sumOf, zeroSum, type CompensatedSum } from './compensated-sum.ts';

/** Of a column of numbers: what bounds and intervals are made of. */
export type Moments = {
  readonly count: number;
  readonly mean: number;
  /** Mean of (value - mean)^2: divided by the count, not by one less. */
  readonly variance: number;
};

/**
 * The same while numbers come in. Each block is summed about its own mean, and blocks are merged (Chan, Golub and LeVeque 1979):
 *   S = S1 + S2 + (m2 - m1)^2 n1 n2 / (n1 + n2),   S the sum of (value - mean)^2
 * Good to about 1e-14 of the size of the values.
 */
export type RunningMoments = { count: number; squares: number; least: number; most: number; readonly total: CompensatedSum };

export const noMoments = (): RunningMoments => ({ count: 0, squares: 0, least: Infinity, most: -Infinity, total: zeroSum() });

/** Takes in the first `size` values, at least one. */
export const addBlock = (moments: RunningMoments, values: Float64Array, size: number): void => {
  let { least, most } = moments;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const value = values[i]!;
    sum += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const mean = sum / size;
  let squares = 0;
  for (let i = 0; i < size; i++) {
    const distance = values[i]! - mean;
    squares += distance * distance;
  }
  const { count } = moments;
  const step = count === 0 ? 0 : mean - sumOf(moments.total) / count;
  moments.squares += squares + step * step * ((count * size) / (count + size));
  moments.count = count + size;
  moments.least = least;
  moments.most = most;
  addTo(moments.total, sum);
};

/** Of at least one value. Values that are all alike have exactly their own mean, and no variance. */
export const momentsOf = ({ count, squares, least, most, total }: RunningMoments): Moments =>
  least === most ? { count, mean: most, variance: 0 } : { count, mean: sumOf(total) / count, variance: squares / count };
