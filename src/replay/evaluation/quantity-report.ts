import { studentTail } from '../../domain/comparison/student-t.ts';
import { bernsteinLower, studentLower } from '../../domain/evaluation/bounds.ts';
import type { Estimate as TalliedEstimate } from '../../domain/evaluation/estimate.ts';
import { momentIntervals, type IntervalOptions } from '../../domain/evaluation/intervals.ts';
import { groupMoments } from '../../domain/evaluation/intervals/group-moments.ts';
import type { Interval as Ends } from '../../domain/evaluation/intervals/interval.ts';
import type { Tallied } from '../../domain/evaluation/tally.ts';
import type { QuantityResult } from './quantity-tally.ts';
import type { Difference, Estimate, Guarantee, Interval } from './report.ts';

/** What was tallied, as a report says it. */

/** Records of one cluster go together in all but Bernstein's, which stands on independent records and known bounds and is null without them; a spread of 0 says nothing, so that all of them are null. */
export const intervalsOf = (
  found: TalliedEstimate,
  tallied: Pick<Tallied, 'records' | 'groupSizes' | 'spread'>,
  { alpha, known, betting, bootstrap }: Pick<IntervalOptions, 'alpha' | 'known'> & Sequences,
): readonly Interval[] => {
  const { moments, student, bernstein, asymptotic } = momentIntervals(found, tallied, { alpha, known });
  return [
    ...(betting === 'none' ? [] : [interval('betting', 'anytime', alpha, betting)]),
    ...(found.estimator.normalised ? [] : [interval('asymptotic-sequence', 'asymptotic', alpha, asymptotic)]),
    interval('student', 'fixed-size', alpha, student),
    interval('empirical-bernstein', 'fixed-size', alpha, moments.variance === 0 ? null : bernstein),
    ...(bootstrap === 'none' ? [] : [interval('bootstrap', 'fixed-size', alpha, moments.variance === 0 ? null : bootstrap)]),
  ];
};

export type Sequences = { readonly betting: Ends | null | 'none'; readonly bootstrap: Ends | null | 'none' };

/** Of the mean, with the spread between clusters. */
export const standardErrorOf = (found: TalliedEstimate, tallied: Pick<Tallied, 'records' | 'groupSizes' | 'spread'>): number | null => {
  const { count, variance } = groupMoments(found, tallied);
  return count < 2 ? null : Math.sqrt(variance / (count - 1));
};

const interval = (method: string, guarantee: Guarantee, alpha: number, ends: Ends | null): Interval => ({
  method,
  confidence: 1 - alpha,
  low: finite(ends?.low),
  high: finite(ends?.high),
  guarantee,
});

const finite = (value: number | undefined): number | null => (value === undefined || !Number.isFinite(value) ? null : value);

export const estimateOf = (
  { found, label, tunedBy }: QuantityResult['estimates'][number],
  tallied: Tallied,
  options: Pick<IntervalOptions, 'alpha' | 'known'> & Sequences,
): Estimate => ({
  estimator: label,
  value: found.value,
  standardError: standardErrorOf(found, tallied),
  lowerBounds: {
    student: finite(studentLower(found.terms, options.alpha)),
    bernstein: finite(bernsteinLower(found.terms, options.alpha, found.mostTerm)),
  },
  tunedBy,
  intervals: intervalsOf(found, tallied, options),
});

/** With the spread between clusters: records of one conversation go together. */
export const differenceOf = ({ difference }: QuantityResult, alphaEach: number): Difference | null => {
  if (difference === null) return null;
  const { found, tallied, betting } = difference;
  const { moments, student, asymptotic } = momentIntervals(found, tallied, { alpha: alphaEach, known: null });
  return {
    value: found.value,
    intervals: [
      ...(betting === 'none' ? [] : [interval('betting', 'anytime', alphaEach, betting)]),
      interval('asymptotic-sequence', 'asymptotic', alphaEach, asymptotic),
      interval('student', 'fixed-size', alphaEach, student),
    ],
    p: student === null ? null : studentTail(found.value / Math.sqrt(moments.variance / (moments.count - 1)), moments.count - 1),
    pAdjusted: null,
  };
};
