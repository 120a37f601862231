import type { Interval } from '../evaluation/report.ts';
import { median } from './figures.ts';

type Marked = { readonly value: number; readonly intervals: readonly Pick<Interval, 'low' | 'high'>[] };

/** From where to where an axis of differences goes, zero always on it. */
export type Range = { readonly low: number; readonly high: number };

const outlierFactor = 3;

/**
 * One candidate that hardly overlaps can reach a thousand times as far as the others, and would press them all into one point. An axis goes no further than three times what is typical; what goes on is
 * drawn up to its end, with an arrow.
 */
export const rangeOf = (rows: readonly Marked[]): Range => {
  const points = rows.map(({ value, intervals }) => [
    value,
    ...intervals.flatMap(({ low, high }) => [low, high].filter((end) => end !== null)),
  ]);
  const reach = outlierFactor * median(points.map((own) => Math.max(...own.map(Math.abs))).filter((size) => size > 0));
  const all = points.flat();
  const low = Math.max(-reach, Math.min(0, ...all));
  const high = Math.min(reach, Math.max(0, ...all));
  const margin = low === high ? 1 : 0.04 * (high - low);
  return { low: low - margin, high: high + margin };
};

/** What of an interval lies within the range, and whether it goes on. */
export type Cut = { readonly from: number; readonly to: number; readonly goesOnLeft: boolean; readonly goesOnRight: boolean };

export const cutTo = ({ low, high }: Range, interval: Pick<Interval, 'low' | 'high'>): Cut => {
  const from = interval.low ?? -Infinity;
  const to = interval.high ?? Infinity;
  const within = (value: number) => Math.min(high, Math.max(low, value));
  return { from: within(from), to: within(to), goesOnLeft: from < low, goesOnRight: to > high };
};

/** It could not be made: nothing to draw. */
export const isUnknown = ({ low, high }: Pick<Interval, 'low' | 'high'>): boolean => low === null && high === null;
