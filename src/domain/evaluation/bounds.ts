import { studentQuantile } from '../comparison/student-t.ts';
import type { Moments } from './moments.ts';

/**
 * Bounds of a mean from the moments of its terms. With v = variance (divided by n) of n terms:
 *
 *   Student     mean - t(1 - delta; n - 1) sqrt(v / (n - 1))
 *   Bernstein   mean - sqrt(2 v log(2 / delta) / (n - 1)) - 7 range log(2 / delta) / (3 (n - 1))
 *
 * Student's is right for many terms of which none decides alone; with heavy weights it is too high. Bernstein's (Maurer and Pontil, COLT 2009, theorem 4) holds for any n if the terms are independent and
 * lie within `range` of each other for certain: the largest possible weight times the largest outcome, not the largest that came. Thomas, Theocharous and Ghavamzadeh, AAAI and ICML 2015, bound policies with both;
 * the literature's tools take the largest term seen for `range`.
 *
 * Each lower bound is exceeded by the mean with probability 1 - delta, `delta` above 0 and below 1/2. Below two terms nothing is known: -Infinity.
 */
export const studentLower = (moments: Moments, delta: number): number => moments.mean - studentWidth(moments, delta);

export const bernsteinLower = (moments: Moments, delta: number, range: number): number =>
  moments.mean - bernsteinWidth(moments, delta, range);

/** Both bounds, each wrong with probability alpha / 2. */
export const studentInterval = (moments: Moments, alpha: number): { readonly low: number; readonly high: number } =>
  around(moments, studentWidth(moments, alpha / 2));

export const bernsteinInterval = (moments: Moments, alpha: number, range: number): { readonly low: number; readonly high: number } =>
  around(moments, bernsteinWidth(moments, alpha / 2, range));

/** How far Student's bound is from the mean. */
export const studentWidth = ({ count, variance }: Moments, delta: number): number => {
  if (count < 2) return Infinity;
  return variance === 0 ? 0 : studentQuantile(2 * delta, count - 1) * Math.sqrt(variance / (count - 1));
};

const bernsteinWidth = ({ count, variance }: Moments, delta: number, range: number): number => {
  if (count < 2) return Infinity;
  const surprise = Math.log(2 / delta);
  return Math.sqrt((2 * variance * surprise) / (count - 1)) + (7 * range * surprise) / (3 * (count - 1));
};

const around = ({ mean }: Moments, width: number) => ({ low: mean - width, high: mean + width });
