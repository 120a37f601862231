/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays that are sized here, and this is the one hot loop of a decision */
import { gaussLegendre } from './gauss-legendre.ts';

/**
 * Parts of the integral that gives the probability of being the largest of independent variables, on one panel. The distribution functions F = 1 - S follow from the densities at the
 * nodes by the panel's integration matrix, from right to left: no special function is needed.
 *
 * Panels are made for this number of nodes: more nodes or narrower panels only cost time.
 */
const m = 12;
export const nodeCount = m;
export const { nodes, weights, toRightEnd } = gaussLegendre(m);

/** Fills a row of F from a row of densities and the mass beyond the panel; weighs the densities; returns the mass beyond the panel's left end. */
export const accumulate = (mass: Float64Array, below: Float64Array, row: number, beyond: number): number => {
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
export const addShares = (shares: Float64Array, mass: Float64Array, below: Float64Array, present: readonly number[], k: number): void => {
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
