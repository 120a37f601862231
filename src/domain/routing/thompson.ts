import { InvariantError } from '../../errors.ts';
import type { RewardWeights } from '../reward/reward.ts';
import type { ArmEvidence } from './evidence.ts';
import { propensities, type BetaParameters } from './propensities.ts';

/**
 * Beta-Bernoulli Thompson sampling (Thompson 1933; Chapelle and Li 2011) with its probabilities made explicit: the vector of propensities is computed first,
 * the floor is mixed in, and the arm is drawn from that very vector. Without a floor that is the same as sampling every posterior and taking
 * the largest, but here the probability of what was done is known exactly.
 *
 * Rewards are fractions: a reward r adds r to alpha and 1 - r to beta. The mean of the posterior is then right, and since a reward in 0..1 with mean r varies at most as much
 * as a coin with that mean, the posterior is never narrower than it should be: the policy explores rather too much than too little.
 */
export type Prior = BetaParameters;

const million = 1_000_000;
/** Evidence of a whole log never takes a parameter below its prior; this guards against a log whose beginning is gone, with a revision of what stood there. */
const leastParameter = 1e-3;

export const posterior = (evidence: ArmEvidence, prior: Prior, weights: RewardWeights): BetaParameters => {
  const gained =
    (weights.success * evidence.success +
      weights.streaming * evidence.streaming +
      weights.cache * evidence.cache +
      weights.cost * evidence.cost) /
    million;
  return {
    alpha: Math.max(leastParameter, prior.alpha + gained),
    beta: Math.max(leastParameter, prior.beta + evidence.trials - gained),
  };
};

/** p' = floor + (1 - K floor) p for each of the K candidates. */
export const thompsonPropensities = (posteriors: readonly BetaParameters[], floor: number): readonly number[] => {
  const rest = 1 - posteriors.length * floor;
  if (rest < 0) throw new InvariantError(`expected a floor of at most 1 / ${posteriors.length}, got ${floor}`);
  return Array.from(propensities(posteriors), (share) => floor + rest * share);
};

/** The index that a uniform draw in [0, 1) picks: the first whose cumulative probability lies above it. Never one of probability 0. */
export const pick = (probabilities: readonly number[], draw: number): number => {
  let cumulative = 0;
  for (const [index, probability] of probabilities.entries()) {
    cumulative += probability;
    if (draw < cumulative) return index;
  }
  // By rounding the sum may fall short of 1 by less than 1e-12, and the draw lie between.
  return probabilities.findLastIndex((probability) => probability > 0);
};
