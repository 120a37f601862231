import { intervalOf, type PlainMean } from './plain-mean.ts';

/**
 * Interval of the mean of values that lie in 0..1, whatever their distribution; itself within 0..1.
 *
 * Few values, or values that are all alike, say little of how far others spread, and Student's t, which believes them, is then far too wide or not there at all. Hoeffding's bound asks for the mean
 * alone: the interval holds each m that n values would not have missed so far by chance,
 *
 *   n kl(mean, m) <= ln(2 / (1 - confidence)),   kl(p, q) = p ln(p / q) + (1 - p) ln((1 - p) / (1 - q))
 *
 * and covers the true mean with at least the stated confidence for any n from 1 (Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58, 1963, theorem 1). It takes values for
 * as spread as coins. From `manyAnswers` on Student's t stands, clipped to 0..1: it is narrower where values spread less, and close by the central limit theorem.
 */
export const boundedIntervalOf = (plain: PlainMean, confidence: number): { readonly low: number; readonly high: number } => {
  const student = plain.answers < manyAnswers ? null : intervalOf(plain, confidence);
  if (student !== null) return { low: Math.max(0, student.low), high: Math.min(1, student.high) };
  const mean = Math.min(1, Math.max(0, plain.mean));
  const divergence = Math.log(2 / (1 - confidence)) / plain.answers;
  return { low: 1 - farthest(1 - mean, divergence), high: farthest(mean, divergence) };
};

export const manyAnswers = 30;

/** The largest q, from p to 1, whose kl(p, q) is at most the bound. */
const farthest = (p: number, bound: number): number => {
  let low = p;
  let high = 1;
  for (let step = 0; step < bisections; step++) {
    const middle = (low + high) / 2;
    if (divergenceOf(p, middle) > bound) high = middle;
    else low = middle;
  }
  return p === 1 ? 1 : low;
};

/** More than a double has binary digits. */
const bisections = 60;

const divergenceOf = (p: number, q: number): number =>
  (p === 0 ? 0 : p * Math.log(p / q)) + (p === 1 ? 0 : (1 - p) * Math.log((1 - p) / (1 - q)));
