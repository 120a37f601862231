/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns of one size, and these loops run for every record */
import { addTo, sumOf, zeroSum } from './compensated-sum.ts';

/** Means and covariances of several columns while they come in, by blocks as in `moments.ts`: C = C1 + C2 + (m2 - m1) (m2 - m1)' n1 n2 / (n1 + n2). */
export type RunningCovariances = {
  /** The first `size` entries of each column, at least one. */
  readonly add: (columns: readonly Float64Array[], size: number) => void;
  readonly count: () => number;
  readonly mean: (column: number) => number;
  /** Divided by the count, as the variance in `Moments`. */
  readonly covariance: (one: number, other: number) => number;
};

export const openCovariances = (columnCount: number): RunningCovariances => {
  let count = 0;
  const totals = Array.from({ length: columnCount }, zeroSum);
  const products = new Float64Array(columnCount * columnCount);
  const means = new Float64Array(columnCount);
  const steps = new Float64Array(columnCount);

  const mean = (column: number): number => sumOf(totals[column]!) / count;
  return {
    add: (columns, size) => {
      for (let j = 0; j < columnCount; j++) {
        const sum = sumOfFirst(columns[j]!, size);
        means[j] = sum / size;
        steps[j] = count === 0 ? 0 : means[j]! - mean(j);
        addTo(totals[j]!, sum);
      }
      const share = (count * size) / (count + size);
      for (let j = 0; j < columnCount; j++)
        for (let k = j; k < columnCount; k++)
          products[j * columnCount + k]! +=
            productsAbout(columns[j]!, means[j]!, columns[k]!, means[k]!, size) + steps[j]! * steps[k]! * share;
      count += size;
    },
    count: () => count,
    mean,
    covariance: (one, other) => products[Math.min(one, other) * columnCount + Math.max(one, other)]! / count,
  };
};

const sumOfFirst = (values: Float64Array, size: number): number => {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += values[i]!;
  return sum;
};

const productsAbout = (one: Float64Array, oneMean: number, other: Float64Array, otherMean: number, size: number): number => {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (one[i]! - oneMean) * (other[i]! - otherMean);
  return sum;
};
