/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays that are sized here, and this is the one hot loop of a decision */
import { InvariantError } from '../../errors.ts';
import { betaDensity, logDensity, type BetaDensity } from './beta-density.ts';
import { gaussLegendre } from './gauss-legendre.ts';
import { panelEdges } from './panels.ts';

export type BetaParameters = { readonly alpha: number; readonly beta: number };

/**
 * The exact probability that each of K independent Beta variables is the largest: how often Thompson sampling chooses that arm.
 *   P_i = integral of f_i(y) times the product over j != i of F_j(y), over the logit y
 * The line is cut into panels. On each the densities f are taken at Gauss-Legendre nodes, and the distribution functions F = 1 - S follow from them by the panel's
 * integration matrix, from right to left: no incomplete beta function is needed, and one exp for each node and arm.
 *
 * 1. Absolute error below 1e-10 for parameters from 1e-3 to 1e7 and up to 16 arms, below 1e-8 up to 256. With `finest` as far as doubles go, at four times the cost: for what is evaluated once, not decided at each request.
 * 2. The sum is 1 within 1e-12: the exact sum is 1, so it is divided out; what was divided out is a check of the whole computation.
 */
export const propensities = (arms: readonly BetaParameters[], { fall, narrowing }: Accuracy = {}): Float64Array => {
  const densities = arms.map((arm) => checkedDensity(arm, fall));
  const result = new Float64Array(arms.length);
  if (densities.length < 2) return result.fill(1);
  // The largest sample is never below the highest of the lower ends, so neither is an arm that ends below it ever the largest.
  const from = densities.reduce((highest, density) => Math.max(highest, density.lower), -Infinity);
  const contenders = densities.filter((density) => density.upper > from);
  const shares = integrate(contenders, panelEdges(contenders, from, narrowing));
  const sum = shares.reduce((total, share) => total + share, 0);
  if (!(Math.abs(sum - 1) < 1e-6)) throw new InvariantError(`expected propensities that sum to 1 within 1e-6, got ${sum}`);
  let next = 0;
  densities.forEach((density, arm) => {
    if (density.upper > from) result[arm] = shares[next++]! / sum;
  });
  return result;
};

/** How far the logarithm of a density has fallen where it is cut off, and by how much panels are narrower than usual. */
export type Accuracy = { readonly fall?: number; readonly narrowing?: number };
export const finest: Accuracy = { fall: 42, narrowing: 2.5 };

/** Beyond these a panel could be narrower than the spacing of doubles, or wider than their range. */
const leastParameter = 1e-6;
const largestParameter = 1e12;

const checkedDensity = ({ alpha, beta }: BetaParameters, fall: number | undefined): BetaDensity => {
  if (Math.min(alpha, beta) >= leastParameter && Math.max(alpha, beta) <= largestParameter) return betaDensity(alpha, beta, fall);
  throw new InvariantError(`expected Beta parameters from ${leastParameter} to ${largestParameter}, got ${alpha} and ${beta}`);
};

/** Nodes of a panel. The panels' widths are made for this number: more nodes or narrower panels only cost time. */
const m = 12;
const { nodes, weights, toRightEnd } = gaussLegendre(m);

const integrate = (arms: readonly BetaDensity[], edges: readonly number[]): Float64Array => {
  const shares = new Float64Array(arms.length);
  const survival = new Float64Array(arms.length);
  // Row j of these: arm j at the nodes of the panel at hand.
  const mass = new Float64Array(arms.length * m);
  const below = new Float64Array(arms.length * m);
  const logX = new Float64Array(m);
  const logRest = new Float64Array(m);
  for (let panel = edges.length - 2; panel >= 0; panel--) {
    const left = edges[panel]!;
    const half = (edges[panel + 1]! - left) / 2;
    const middle = left + half;
    logsAtNodes(middle, half, logX, logRest);
    // Arms that end to the left of this panel are below it for certain: F = 1.
    const present: number[] = [];
    for (let j = 0; j < arms.length; j++) if (arms[j]!.upper > left) present.push(j);
    for (const j of present) {
      const { alpha, beta } = arms[j]!;
      const row = j * m;
      const scale = logDensity(arms[j]!, middle) + Math.log(half);
      for (let k = 0; k < m; k++) mass[row + k] = Math.exp(scale + alpha * logX[k]! + beta * logRest[k]!);
      survival[j] = accumulate(mass, below, row, survival[j]!);
    }
    for (let k = 0; k < m; k++) addShares(shares, mass, below, present, k);
  }
  return shares;
};

/** Fills a row of F from a row of densities and the mass beyond the panel; weighs the densities; returns the mass beyond the panel's left end. */
const accumulate = (mass: Float64Array, below: Float64Array, row: number, beyond: number): number => {
  for (let k = 0; k < m; k++) {
    let above = beyond;
    for (let l = 0; l < m; l++) above += toRightEnd[k * m + l]! * mass[row + l]!;
    below[row + k] = Math.max(0, 1 - above);
  }
  let total = beyond;
  for (let k = 0; k < m; k++) total += mass[row + k]! *= weights[k]!;
  return total;
};

/** Adds f_i times the product of the other F_j at one node, by products from both sides: an F may be 0, so nothing is divided. */
const addShares = (shares: Float64Array, mass: Float64Array, below: Float64Array, present: readonly number[], k: number): void => {
  let product = 1;
  for (const j of present) {
    mass[j * m + k]! *= product;
    product *= below[j * m + k]!;
  }
  product = 1;
  for (let i = present.length - 1; i >= 0; i--) {
    const j = present[i]!;
    shares[j]! += mass[j * m + k]! * product;
    product *= below[j * m + k]!;
  }
};

/** log x and log (1 - x) at the nodes of a panel, less their values in its middle. */
const logsAtNodes = (middle: number, half: number, logX: Float64Array, logRest: Float64Array): void => {
  // The logarithm that is near 0 on this side of logit 0 is computed, the other follows from log x - log (1 - x) = y: so nothing cancels.
  const [near, far, sign] = middle > 0 ? [logX, logRest, -1] : [logRest, logX, 1];
  const odds = Math.exp(-Math.abs(middle));
  const share = odds / (1 + odds);
  for (let k = 0; k < m; k++) {
    const d = sign * half * nodes[k]!;
    const growth = half < 0.5 ? Math.log1p(share * Math.expm1(d)) : softplus(d - Math.abs(middle)) - Math.log1p(odds);
    near[k] = -growth;
    far[k] = d - growth;
  }
};

/** log (1 + e^y). */
const softplus = (y: number): number => Math.max(y, 0) + Math.log1p(Math.exp(-Math.abs(y)));
