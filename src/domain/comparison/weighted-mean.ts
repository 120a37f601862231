import { normalCdf, normalQuantile } from '../routing/normal-distribution.ts';

/**
 * What the mean would have been, had one arm answered every request. An arm is drawn with a probability that depends on the request, so the plain mean of its answers is that of the
 * requests it was given. Weighing each answer with w = 1 / propensity undoes that (Horvitz and Thompson 1952; in ratio form Hajek 1971; "self-normalised" in Owen, "Monte Carlo theory,
 * methods and examples", 2013, chapter 9):
 *
 *   mean        m = sum of w y / sum of w
 *   variance    v = sum of w^2 (y - m)^2 / (sum of w)^2     linearised, Owen (9.8)
 *   effective   (sum of w)^2 / sum of w^2                   answers of equal weight that would say as much (Kish 1965)
 *
 * No request is given to two arms, so its influences on their means multiply to 0: to first order the means are uncorrelated, and the variance of a difference is the sum of both.
 * The interval is the normal one; it holds for many effective answers, and where every request could have been given to either arm.
 */
export type WeightedSums = {
  readonly answers: number;
  /** Sums of w and w^2. */
  readonly weight: number;
  readonly weightSquare: number;
  /** Sums of w y, w^2 y and w^2 y^2. */
  readonly value: number;
  readonly valueOfSquares: number;
  readonly squareOfSquares: number;
};

/** With fewer effective answers the normal interval is too narrow, and a few answers of small propensity decide. */
export const leastEffective = 50;

export type WeightedMean = { readonly mean: number; readonly variance: number; readonly effective: number };

/** Null without answers. */
export const weightedMean = (sums: WeightedSums): WeightedMean | null => {
  const { weight, weightSquare, value, valueOfSquares, squareOfSquares } = sums;
  if (sums.answers === 0) return null;
  const mean = value / weight;
  const spread = squareOfSquares - 2 * mean * valueOfSquares + mean * mean * weightSquare;
  // The terms cancel; what is left below this is their rounding, and all values are alike.
  const isRounding = spread <= rounding * squareOfSquares;
  return { mean, variance: isRounding ? 0 : spread / (weight * weight), effective: (weight * weight) / weightSquare };
};

const rounding = 1e-12;

export type Difference = {
  /** Second less first. */
  readonly difference: number;
  /** Null where all values of both arms are alike: nothing says how far they spread. */
  readonly low: number | null;
  readonly high: number | null;
  /** Probability of a difference at least as large, either way, if there were none. */
  readonly p: number | null;
};

export const differenceOf = (first: WeightedMean, second: WeightedMean, confidence: number): Difference => {
  const difference = second.mean - first.mean;
  const error = Math.sqrt(first.variance + second.variance);
  if (error === 0) return { difference, low: null, high: null, p: null };
  const width = error * normalQuantile((1 + confidence) / 2);
  return { difference, low: difference - width, high: difference + width, p: 2 * normalCdf(-Math.abs(difference) / error) };
};
