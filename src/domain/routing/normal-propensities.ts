/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays that are sized here, and this is the one hot loop of a decision */
import { InvariantError } from '../../errors.ts';
import { gaussLegendre } from './gauss-legendre.ts';
import { contendersAmong, type Contender, type NormalParameters } from './normal-contenders.ts';
import { normalCdf } from './normal-distribution.ts';
import { lookUpNormal } from './normal-table.ts';
import { areAlike, trapezoid } from './normal-trapezoid.ts';

export type { NormalParameters };

/**
 * The exact probability that each of K independent normal variables is the largest: how often Thompson sampling chooses that arm.
 *   P_i = integral of f_i(x) times the product over j != i of F_j(x)
 * Two contenders have a closed form. For more that are about as wide the trapezoidal rule is exact enough and quick (normal-trapezoid.ts); else the line is cut into panels with Gauss-Legendre
 * nodes, each as wide as the narrowest arm that varies on it allows.
 *
 * 1. Absolute error below 1e-10 up to 16 arms, below 1e-9 up to 256, wherever the means are and however the standard deviations differ.
 * 2. The sum is 1 within 1e-12: the exact sum is 1, so it is divided out; what was divided out is a check of the whole computation.
 * 3. An arm that cannot be the largest (normal-contenders.ts) has exactly 0. Equal point masses share equally.
 */
export const normalPropensities = (arms: readonly NormalParameters[]): number[] => {
  const result = new Array<number>(arms.length).fill(0);
  if (arms.length === 0) return result;
  const contenders = contendersAmong(arms);
  const shares = sharesOf(contenders);
  let sum = 0;
  for (const share of shares) sum += share;
  if (!(Math.abs(sum - 1) < 1e-8)) throw new InvariantError(`expected propensities that sum to 1 within 1e-8, got ${sum}`);
  contenders.forEach(({ places }, i) => {
    for (const place of places) result[place] = shares[i]! / sum / places.length;
  });
  return result;
};

const sharesOf = (contenders: readonly Contender[]): Float64Array => {
  if (contenders.length <= 2) return closedForm(contenders);
  return areAlike(contenders) ? trapezoid(contenders) : integrate(contenders);
};

const closedForm = ([first, second]: readonly Contender[]): Float64Array => {
  if (!first || !second) return Float64Array.of(1);
  const z = (first.mean - second.mean) / Math.hypot(first.sd, second.sd);
  return Float64Array.of(normalCdf(z), normalCdf(-z));
};

/** Nodes of a panel. */
const m = 12;
const { nodes, weights } = gaussLegendre(m);

/** Width of a panel in standard deviations: the largest of K equal variables is narrower than one of them by about sqrt(2 ln K). The sum errs by less than 1e-9. */
const deviationsFor = (arms: number): number => 4.8 / Math.sqrt(2 * Math.log(arms));

/** Panels end where the largest arm is farther down with less than this probability. */
const negligible = 1e-11;

/** From right to left, from where the second arm begins to vary: above that only the first does, whose tail has a closed form. */
const integrate = (contenders: readonly Contender[]): Float64Array => {
  const shares = new Float64Array(contenders.length);
  const varying = contenders.filter(({ sd }) => sd > 0);
  const scratch = scratchFor(varying.length);
  const from = contenders.reduce((highest, { lower }) => Math.max(highest, lower), -Infinity);
  const deviations = deviationsFor(varying.length);
  let right = varying[1]!.upper;
  shares[0] = normalCdf((varying[0]!.mean - right) / varying[0]!.sd);
  for (let below = 1; right > from && below > negligible;) {
    const left = Math.max(from, leftEnd(right, varying, deviations));
    below = addPanel(shares, scratch, varying, left, (right - left) / 2);
    right = left;
  }
  const point = contenders[varying.length];
  if (point) shares[varying.length] = varying.reduce((product, { mean, sd }) => product * normalCdf((point.mean - mean) / sd), 1);
  return shares;
};

/** An arm that begins to vary farther down is no hindrance until there: a panel may end where it does, and exactly there. */
const leftEnd = (right: number, arms: readonly Contender[], deviations: number): number => {
  let left = -Infinity;
  for (const { upper, sd } of arms) left = Math.max(left, Math.min(upper, right - deviations * sd));
  return left;
};

/** Row j of `below` and `densities`: F and f of arm j at the nodes of the panel at hand; `product`: that of all F and the node's weight. */
type Scratch = { readonly below: Float64Array; readonly densities: Float64Array; readonly product: Float64Array };
const scratchOf = (arms: number): Scratch => ({
  below: new Float64Array(arms * m),
  densities: new Float64Array(arms * m),
  product: new Float64Array(m),
});

/** One for all calls, as making it takes longer than two panels. Each panel writes it before it reads. */
const usualArms = 16;
const usualScratch = scratchOf(usualArms);
const scratchFor = (arms: number): Scratch => (arms <= usualArms ? usualScratch : scratchOf(arms));

/** Adds each arm's part of a panel: f_i times the product of the other F_j. Returns the product of all F_j at the leftmost node. */
const addPanel = (shares: Float64Array, scratch: Scratch, arms: readonly Contender[], left: number, half: number): number => {
  const { below, densities, product } = scratch;
  for (let k = 0; k < m; k++) product[k] = weights[k]!;
  let present = 0;
  for (; present < arms.length && arms[present]!.upper > left; present++) {
    const { mean, perSd } = arms[present]!;
    const middle = (left + half - mean) * perSd;
    const step = half * perSd;
    for (let k = 0, at = present * m; k < m; k++, at++) {
      lookUpNormal(middle + step * nodes[k]!, below, densities, at);
      product[k]! *= below[at]!;
    }
  }
  for (let j = 0; j < present; j++) {
    let sum = 0;
    // The product without F_j by division: no F is 0 above the highest lower end.
    for (let k = 0, at = j * m; k < m; k++, at++) sum += (product[k]! * densities[at]!) / below[at]!;
    shares[j]! += sum * half * arms[j]!.perSd;
  }
  return product[0]! / weights[0]!;
};
