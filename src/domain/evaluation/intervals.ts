import { bernsteinInterval, studentInterval } from './bounds.ts';
import type { Estimate } from './estimate.ts';
import { asymptoticSequence } from './intervals/asymptotic.ts';
import { bootstrapIntervals, type Ratio } from './intervals/bootstrap.ts';
import { groupMoments } from './intervals/group-moments.ts';
import type { Interval } from './intervals/interval.ts';
import type { Moments } from './moments.ts';
import type { Tallied } from './tally.ts';

/**
 * What an interval promises, if its assumptions hold.
 *   asymptotic             close to the stated confidence for many records of which none decides alone, at one look
 *   finite-sample          at least the stated confidence for any number of records, at one look
 *   anytime ...            the same, at all looks together
 */
export type Guarantee = 'asymptotic' | 'finite-sample' | 'anytime asymptotic' | 'anytime finite-sample';

export type IntervalKind = 'bootstrap' | 'student' | 'bernstein' | 'asymptotic-sequence' | 'betting';

/** `interval` null: this kind says nothing of these records, for a reason that stands with the kind. */
export type NamedInterval = { readonly kind: IntervalKind; readonly guarantee: Guarantee; readonly interval: Interval | null };

export type IntervalOptions = {
  readonly alpha: number;
  readonly seed: string | number;
  readonly resamples?: number;
  /** What no outcome lies outside of, and no weight above, known before the log was; null where that is unknown. Bernstein's interval stands on them. */
  readonly known: { readonly outcomes: Interval; readonly largestWeight: number } | null;
};

/**
 * All intervals of all estimates, by the name of the estimator. They are centred on the estimator: those of a biased one (clipped, switched, shrunk) are for its mean, not for the value. What the candidate
 * does where the logger could not follow is in none of them but that by betting.
 *
 *   bootstrap            percentile, by group. Null where all groups agree, as nothing says how far others spread, and where a resample may have no weight.
 *   student              by group, linearised where weights are normalised. Null where all groups agree.
 *   bernstein            of independent records. Null unless bounds are known and the estimator is unbiased within them: not normalised, g(w) = w up to the largest weight.
 *   asymptotic-sequence  as Student's. Null likewise.
 */
export const intervalsOf = (tallied: Tallied, options: IntervalOptions): ReadonlyMap<string, readonly NamedInterval[]> => {
  const { groupSizes } = tallied;
  const estimates = [...tallied.estimates];
  const resampled = bootstrapIntervals(
    estimates.map(([, estimate]) => ratiosOf(estimate, groupSizes)),
    options,
  );
  return new Map(
    estimates.map(([name, estimate], i) => {
      const { moments, student, bernstein, asymptotic } = momentIntervals(estimate, tallied, options);
      const drawn = resampled[i] ?? null;
      return [
        name,
        [
          named('bootstrap', drawn === null || moments.variance === 0 ? null : { low: drawn.low, high: drawn.high }),
          named('student', student),
          named('bernstein', bernstein),
          named('asymptotic-sequence', asymptotic),
        ],
      ] as const;
    }),
  );
};

/** Of one estimate, those that follow from moments by group, or by record where these are clusters of their own; `moments.variance` is 0 where all agree. */
export const momentIntervals = (
  estimate: Estimate,
  tallied: Pick<Tallied, 'records' | 'groupSizes' | 'spread'>,
  options: Pick<IntervalOptions, 'alpha' | 'known'>,
): MomentIntervals => {
  const { alpha } = options;
  const { records } = tallied;
  const moments = groupMoments(estimate, tallied);
  const perRecord = { count: records, mean: moments.mean, variance: (moments.variance * records) / moments.count };
  return {
    moments,
    student: moments.count < 2 || moments.variance === 0 ? null : studentInterval(moments, alpha),
    bernstein: bernsteinOf(estimate, options),
    asymptotic: asymptoticSequence(perRecord, { alpha }),
  };
};

export type MomentIntervals = {
  readonly moments: Moments;
  readonly student: Interval | null;
  readonly bernstein: Interval | null;
  readonly asymptotic: Interval | null;
};

/** The interval by betting, of the value of the candidate whatever the estimator (`openBettingSequence`). Null: no value agrees with the records. */
export const bettingInterval = (interval: Interval | null): NamedInterval => named('betting', interval);

const guarantees: Readonly<Record<IntervalKind, Guarantee>> = {
  bootstrap: 'asymptotic',
  student: 'asymptotic',
  bernstein: 'finite-sample',
  'asymptotic-sequence': 'anytime asymptotic',
  betting: 'anytime finite-sample',
};

const named = (kind: IntervalKind, interval: Interval | null): NamedInterval => ({ kind, guarantee: guarantees[kind], interval });

/** An estimate as what the bootstrap resamples: a sum of ratios of sums by group. */
export const ratiosOf = ({ estimator, sums }: Estimate, groupSizes: Float64Array): readonly Ratio[] => [
  // Without a model a normalised estimator is its second ratio alone.
  ...(sums.normalised === null || estimator.model ? [{ numerator: sums.plain, denominator: groupSizes }] : []),
  ...(sums.normalised === null ? [] : [{ numerator: sums.normalised.weighted, denominator: sums.normalised.weights }]),
];

/** Terms w r span the largest weight times the range of outcomes; d + w (r - q), with d and q in the range of outcomes too, twice that and once the range. */
const bernsteinOf = ({ estimator, terms }: Estimate, { alpha, known }: Pick<IntervalOptions, 'alpha' | 'known'>): Interval | null => {
  if (known === null || estimator.normalised || estimator.weight(known.largestWeight) !== known.largestWeight || terms.count < 2)
    return null;
  const { low, high } = known.outcomes;
  const range = estimator.model
    ? (2 * known.largestWeight + 1) * (high - low)
    : known.largestWeight * (Math.max(0, high) - Math.min(0, low));
  return bernsteinInterval(terms, alpha, range);
};
