import type { RewardWeights } from '../reward/reward.ts';
import { fieldIndex, type Sums } from './sums.ts';

/** Sums read as a reward: evidence keeps the parts apart, so the weights are applied here and other weights need no new learning. The sums begin at `at`. */
const million = 1_000_000;

export const trialsOf = (sums: Sums, at = 0): number => sums[at + fieldIndex.trials] ?? 0;

/** Sum of the weighted rewards, each 0 to 1. */
export const rewardSum = (sums: Sums, weights: RewardWeights, at = 0): number =>
  (weights.success * (sums[at + fieldIndex.success] ?? 0) +
    weights.streaming * (sums[at + fieldIndex.streaming] ?? 0) +
    weights.cache * (sums[at + fieldIndex.cache] ?? 0) +
    weights.cost * (sums[at + fieldIndex.cost] ?? 0)) /
  million;

/**
 * Variance of one reward: the square of the weighted sum of the parts' deviations. That is exact for one part and an upper bound for several, whatever their correlation. Before there is
 * much evidence it leans to that of a coin, a quarter.
 */
export const rewardVariance = (sums: Sums, weights: RewardWeights): number => {
  const n = trialsOf(sums);
  const deviation = (part: number | undefined, square: number | undefined): number => {
    const mean = ((part ?? 0) / million + 0.5) / (n + 1);
    return Math.sqrt(Math.max(0, ((square ?? 0) / million + 0.5) / (n + 1) - mean * mean));
  };
  const total =
    weights.success * deviation(sums[fieldIndex.success], sums[fieldIndex.successSquare]) +
    weights.streaming * deviation(sums[fieldIndex.streaming], sums[fieldIndex.streamingSquare]) +
    weights.cache * deviation(sums[fieldIndex.cache], sums[fieldIndex.cacheSquare]) +
    weights.cost * deviation(sums[fieldIndex.cost], sums[fieldIndex.costSquare]);
  return Math.max(leastVariance, total * total);
};

/** Rewards that have never differed may still differ. */
const leastVariance = 1e-4;
