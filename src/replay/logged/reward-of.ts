import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { Outcome } from './logged-decision.ts';

/** The reward, 0 to 1, by the weights that were in force unless others are given; null where a part that has a weight was not measured. */
export const rewardOf = ({ parts, weights: recorded }: Outcome, weights: RewardWeights = recorded): number | null => {
  if (partsMissing(parts, weights).length > 0) return null;
  const { success, streaming, cache, cost } = parts;
  return Math.min(
    1,
    (success ?? 0) * weights.success + (streaming ?? 0) * weights.streaming + (cache ?? 0) * weights.cache + (cost ?? 0) * weights.cost,
  );
};

const none: readonly (keyof RewardWeights)[] = [];

/** Parts that the reward is made of and that were not measured. */
export const partsMissing = (parts: Outcome['parts'], weights: RewardWeights): readonly (keyof RewardWeights)[] =>
  parts.success !== null && parts.streaming !== null && parts.cache !== null && parts.cost !== null
    ? none
    : partNames.filter((part) => parts[part] === null && weights[part] > 0);

const partNames = ['success', 'streaming', 'cache', 'cost'] as const;
