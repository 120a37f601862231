/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays that are sized here, and this is the one hot loop of a decision */
import type { Contender } from './normal-contenders.ts';
import { lookUpNormal } from './normal-table.ts';

/**
 * The trapezoidal rule over the whole line: for functions that are analytic and vanish at both ends its error falls like exp(-c / step^2), so that 30 points do what Gauss-Legendre panels need 60
 * for (Trefethen and Weideman, "The exponentially convergent trapezoidal rule", 2014). The step is set by the narrowest arm, so it is for arms that are about as wide.
 */
const largestRatio = 4;
const mostArms = 16;

/** More arms make the largest of them narrower; errs by less than 1e-10 for 3 to 16 arms. */
const stepDeviations = Array.from({ length: mostArms + 1 }, (_, arms) => 0.55 * (3 / Math.max(arms, 3)) ** 0.3);
/** Points end where the largest arm is farther down with less than this probability. */
const negligible = 1e-12;

const below = new Float64Array(mostArms);
const densities = new Float64Array(mostArms);

/** Whether the rule serves these contenders: none of them a point mass, and none much wider than another. */
export const areAlike = (arms: readonly Contender[]): boolean => {
  if (arms.length > mostArms) return false;
  let narrowest = Infinity;
  let widest = 0;
  for (const { sd } of arms) {
    if (sd < narrowest) narrowest = sd;
    if (sd > widest) widest = sd;
  }
  return widest <= largestRatio * narrowest;
};

/** The probability of each contender of being the largest. */
export const trapezoid = (arms: readonly Contender[]): Float64Array => {
  const count = arms.length;
  const shares = new Float64Array(count);
  let from = -Infinity;
  let narrowest = Infinity;
  for (const { lower, sd } of arms) {
    if (lower > from) from = lower;
    if (sd < narrowest) narrowest = sd;
  }
  const step = stepDeviations[count]! * narrowest;
  for (let x = arms[0]!.upper; x >= from; x -= step) {
    let product = 1;
    for (let j = 0; j < count; j++) {
      const arm = arms[j]!;
      lookUpNormal((x - arm.mean) * arm.perSd, below, densities, j);
      product *= below[j]!;
    }
    // No F is 0 above the highest lower end.
    for (let j = 0; j < count; j++) shares[j]! += (product * densities[j]!) / below[j]!;
    if (product < negligible) break;
  }
  for (let j = 0; j < count; j++) shares[j]! *= step * arms[j]!.perSd;
  return shares;
};
