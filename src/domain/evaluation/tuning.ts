import { InvariantError } from '../../errors.ts';
import { studentWidth } from './bounds.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Estimate } from './estimate.ts';
import type { TuningGrid } from './estimators.ts';
import type { Tallied } from './tally.ts';

/**
 * Which lambda of a grid to believe: a small one cuts variance and brings bias, which the data show only in part. Two stated rules, as in the Open Bandit Pipeline (Saito et al., NeurIPS 2021), delta = 0.1:
 *
 * `slope` (Su, Srinath and Krishnamurthy, ICML 2020, after Lepski): the members in the order of their widths c, the widest first; c_i is Student's at 1 - delta. One after the other is believed while its
 * value v agrees with all before it,
 *   |v_i - v_j| <= c_i + (sqrt(6) - 1) c_j   for all j before i,
 * and the last one that is believed is chosen: the narrowest whose bias does not show. Members need not be wide in the order of lambda.
 *
 * `mse` (Su, Dimakopoulou, Krishnamurthy and Dudik, ICML 2020, section 5): the least estimated mean squared error
 *   v_terms / n + (|mean of (w - g) (r - q)| + sqrt(2 mean(w^2) log(2 / delta) / n) + 2 max(w) log(2 / delta) / (3 n))^2,
 * with a high-probability bound in place of the bias. What is added to the bias is the same for all lambdas and often large: then any bias costs more than the variance it saves, and infinity is chosen.
 *
 * Of members that tie, the largest lambda: the least bias.
 */
export type TuningRule = 'slope' | 'mse';

export type Tuned = {
  readonly family: TuningGrid['family'];
  readonly rule: TuningRule;
  readonly lambda: number;
  readonly estimate: Estimate;
};

/** From a tally over the estimators of the grid and diagnostics of the same records. */
export const tuned = (
  grid: TuningGrid,
  rule: TuningRule,
  { estimates }: Pick<Tallied, 'estimates'>,
  weights: Pick<Diagnostics, 'meanSquareWeight' | 'mostWeight'>,
): Tuned => {
  const members = grid.members.map(({ lambda, estimator }) => {
    const estimate = estimates.get(estimator.name);
    if (estimate === undefined) throw new InvariantError(`expected a tally over the grid ${grid.family}, found none of ${estimator.name}`);
    return { lambda, estimate };
  });
  return { family: grid.family, rule, ...(rule === 'slope' ? bySlope(members) : byMeanSquare(members, weights)) };
};

type Member = { readonly lambda: number; readonly estimate: Estimate };

const delta = 0.1;
const agreement = Math.sqrt(6) - 1;

const bySlope = (members: readonly Member[]): Member => {
  const widths = new Map(members.map((member) => [member, studentWidth(member.estimate.terms, delta)]));
  const width = (member: Member) => widths.get(member) ?? Infinity;
  // Never Infinity less Infinity: they tie.
  const byWidth = members.toSorted((one, other) => (width(one) === width(other) ? one.lambda - other.lambda : width(other) - width(one)));
  const believed: Member[] = [];
  for (const member of byWidth) {
    const agrees = believed.every(
      (before) => Math.abs(before.estimate.value - member.estimate.value) <= width(member) + agreement * width(before),
    );
    if (!agrees) break;
    believed.push(member);
  }
  return lastOf(believed);
};

const byMeanSquare = (
  members: readonly Member[],
  { meanSquareWeight, mostWeight }: Pick<Diagnostics, 'meanSquareWeight' | 'mostWeight'>,
): Member => {
  const surprise = Math.log(2 / delta);
  // Its weights are w itself, so that the mean of (w - g) (r - q) is the difference of the values.
  const { value: unbiased } = lastOf(members).estimate;
  const error = ({ estimate: { value, terms } }: Member): number => {
    const doubt = Math.sqrt((2 * meanSquareWeight * surprise) / terms.count) + (2 * mostWeight * surprise) / (3 * terms.count);
    return terms.variance / terms.count + (Math.abs(unbiased - value) + doubt) ** 2;
  };
  return members.reduce((best, member) => (error(member) <= error(best) ? member : best));
};

const lastOf = (members: readonly Member[]): Member => {
  const last = members.at(-1);
  if (last === undefined) throw new InvariantError('expected a grid with at least one lambda');
  return last;
};
