import type { Estimator } from './estimators.ts';
import type { Moments } from './moments.ts';

export type Estimate = {
  readonly estimator: Estimator;
  /** Mean of the terms. */
  readonly value: number;
  /** Of the terms t_i. Normalised estimators: with the mean weight as if it were known, as the literature's bounds have it. */
  readonly terms: Moments;
  readonly leastTerm: number;
  readonly mostTerm: number;
  /** Variance of the linearised terms, which counts the chance in the mean weight too (the delta method); that of the terms, where nothing is normalised. */
  readonly influenceVariance: number;
  readonly sums: GroupSums;
};

/** Sums by group of records. The value of any collection of groups is  sum of `plain` / their records + (normalised) sum of `weighted` / sum of `weights`. */
export type GroupSums = {
  /** Of the terms; of a normalised estimator, of d alone. */
  readonly plain: Float64Array;
  /** Of g(w) (r - q), and of g(w). */
  readonly normalised: { readonly weighted: Float64Array; readonly weights: Float64Array } | null;
};
