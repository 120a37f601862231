/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns of one size, and these loops run for every record */
import type { Sample } from '../../domain/evaluation/sample.ts';
import type { PageSample } from './evaluated-page.ts';

/**
 * Candidate less logger on the same records, as samples that the ordinary estimators and sequences read. What both have in common cancels record by record, and the difference is known far better than either value.
 */

/**
 * For ipw and dr. With w - 1 in place of w, and d less what the model expects of the logger, l, in place of d, the term of a record is
 *   d - l + (w - 1) (r - q) = (d + w (r - q)) - (l + (r - q)),
 * that of the candidate less that of the logger. Without a model: (w - 1) r.
 */
export const contrast = (sample: PageSample): Sample => {
  const { size, logged, candidate, expected, expectedOfLogger } = sample;
  const weight = new Float64Array(size);
  const gain = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    weight[i] = candidate[i]! - logged[i]!;
    gain[i] = expected[i]! - expectedOfLogger[i]!;
  }
  return { ...sample, candidate: weight, expected: gain };
};

/**
 * For sequences by betting, whose outcomes lie in 0..1: half of the time the candidate is followed and its outcome counts, half of the time the logger, and 1 less its outcome. The value of that is
 * v = (1 + candidate - logger) / 2, and one record has the weight (1 + w) / 2 and the outcome (w r + 1 - r) / (1 + w).
 */
export const half = (sample: Sample): Sample => {
  const { size, outcome, logged, candidate, unsupported, weightLimit } = sample;
  const column = (): Float64Array => new Float64Array(size);
  const mixed = { outcome: column(), candidate: column(), unsupported: column(), weightLimit: column() };
  for (let i = 0; i < size; i++) {
    const w = candidate[i]! / logged[i]!;
    const r = outcome[i]!;
    mixed.outcome[i] = Math.min(1, (w * r + 1 - r) / (1 + w));
    mixed.candidate[i] = (candidate[i]! + logged[i]!) / 2;
    mixed.unsupported[i] = unsupported[i]! / 2;
    mixed.weightLimit[i] = (1 + weightLimit[i]!) / 2;
  }
  return { ...sample, ...mixed };
};
