import { normalQuantile } from '../../domain/routing/normal-distribution.ts';
import type { Stretch } from './report.ts';

/**
 * Means over the period, in ten to twenty stretches of as many records each, without knowing beforehand how many there will be: where twenty are full, neighbours are put together and the stretches are twice as long
 * from then on.
 */
export type Stretches = {
  /** `values`: one for each column, NaN where there is none. */
  readonly add: (atMs: number, values: ArrayLike<number>) => void;
  readonly finish: () => readonly Means[];
};

export type Means = {
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly records: number;
  readonly of: (column: number) => ColumnMean | null;
};
export type ColumnMean = { readonly count: number; readonly mean: number; readonly variance: number };

type Open = { firstAtMs: number; lastAtMs: number; records: number; readonly sums: Float64Array };

const mostStretches = 20;
const firstLength = 16;
/** Count, sum, sum of squares. */
const perColumn = 3;

export const openStretches = (columnCount: number): Stretches => {
  let length = firstLength;
  let stretches: Open[] = [];

  const merged = (one: Open, other: Open | undefined): Open =>
    other === undefined
      ? one
      : {
          firstAtMs: one.firstAtMs,
          lastAtMs: other.lastAtMs,
          records: one.records + other.records,
          sums: one.sums.map((sum, i) => sum + (other.sums[i] ?? 0)),
        };
  const open = (atMs: number): Open => {
    const last = stretches.at(-1);
    if (last !== undefined && last.records < length) return last;
    if (stretches.length === mostStretches) {
      stretches = stretches.flatMap((one, i) => (i % 2 === 0 ? [merged(one, stretches[i + 1])] : []));
      length *= 2;
    }
    const made = { firstAtMs: atMs, lastAtMs: atMs, records: 0, sums: new Float64Array(perColumn * columnCount) };
    stretches.push(made);
    return made;
  };
  return {
    add: (atMs, values) => {
      const stretch = open(atMs);
      stretch.records++;
      stretch.lastAtMs = atMs;
      for (let column = 0; column < columnCount; column++) {
        const value = values[column] ?? NaN;
        if (Number.isNaN(value)) continue;
        const at = perColumn * column;
        stretch.sums[at] = (stretch.sums[at] ?? 0) + 1;
        stretch.sums[at + 1] = (stretch.sums[at + 1] ?? 0) + value;
        stretch.sums[at + 2] = (stretch.sums[at + 2] ?? 0) + value * value;
      }
    },
    finish: () =>
      stretches.map(({ sums, ...stretch }) => ({
        ...stretch,
        of: (column) => {
          const [count = 0, sum = 0, squares = 0] = sums.subarray(perColumn * column, perColumn * (column + 1));
          if (count === 0) return null;
          const mean = sum / count;
          return { count, mean, variance: count < 2 ? 0 : Math.max(0, squares - count * mean * mean) / (count - 1) };
        },
      })),
  };
};

export const valueWithInterval = (found: ColumnMean | null, alpha: number): Stretch['candidate'] => {
  if (found === null) return { value: 0, low: null, high: null };
  // Where all are alike nothing says how far others spread.
  if (found.count < 2 || found.variance === 0) return { value: found.mean, low: null, high: null };
  const width = normalQuantile(1 - alpha / 2) * Math.sqrt(found.variance / found.count);
  return { value: found.mean, low: found.mean - width, high: found.mean + width };
};
