import type { Interval } from '../evaluation/report.ts';
import { isUnknown } from './chart-range.ts';
import { guarantees } from './words.ts';

/** The interval that promises most, of several that promise the same the first; null where none could be made. */
export const strongest = (intervals: readonly Interval[]): Interval | null =>
  intervals.filter((interval) => !isUnknown(interval)).toSorted((one, other) => rank(one) - rank(other))[0] ?? null;

const rank = ({ guarantee }: Interval): number => guarantees.indexOf(guarantee);
