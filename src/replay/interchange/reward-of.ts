import type { Outcome } from '../logged/logged-decision.ts';

/** The reward, 0 to 1, by the weights that were in force. */
export const rewardOf = ({ parts, weights }: Outcome): number =>
  Math.min(
    1,
    parts.success * weights.success + parts.streaming * weights.streaming + parts.cache * weights.cache + parts.cost * weights.cost,
  );
