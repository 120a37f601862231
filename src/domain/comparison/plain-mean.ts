import { studentQuantile, studentTail } from './student-t.ts';
import type { Difference } from './weighted-mean.ts';

/** A sample as it came, of at least one. `variance` of one value (divided by n - 1); null below two values. */
export type PlainMean = { readonly answers: number; readonly mean: number; readonly variance: number | null };

/** Student's t interval of a mean. Null where nothing says how far values spread: fewer than two of them, or all alike. */
export const intervalOf = (
  { answers, mean, variance }: PlainMean,
  confidence: number,
): { readonly low: number; readonly high: number } | null => {
  if (variance === null || variance === 0) return null;
  const width = studentQuantile(1 - confidence, answers - 1) * Math.sqrt(variance / answers);
  return { low: mean - width, high: mean + width };
};

/** Welch's t test: the two may spread unequally (Welch 1947; degrees of freedom by Satterthwaite 1946). Second less first. */
export const welchDifference = (first: PlainMean, second: PlainMean, confidence: number): Difference => {
  const difference = second.mean - first.mean;
  if (first.variance === null || second.variance === null) return { difference, low: null, high: null, p: null };
  const one = first.variance / first.answers;
  const other = second.variance / second.answers;
  const error = Math.sqrt(one + other);
  if (error === 0) return { difference, low: null, high: null, p: null };
  const degrees = (one + other) ** 2 / (one ** 2 / (first.answers - 1) + other ** 2 / (second.answers - 1));
  const width = error * studentQuantile(1 - confidence, degrees);
  return { difference, low: difference - width, high: difference + width, p: studentTail(difference / error, degrees) };
};
