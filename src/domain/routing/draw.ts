import { InvariantError } from '../../errors.ts';

/** p' = floor_i + (1 - sum of floors) p_i: each candidate keeps its floor, the policy's shares divide the rest. Floors that exceed 1 together are scaled to share it. */
export const withFloors = (shares: readonly number[], floors: readonly number[]): readonly number[] => {
  const total = floors.reduce((sum, floor) => sum + floor, 0);
  const scale = total > 1 ? 1 / total : 1;
  const rest = Math.max(0, 1 - total * scale);
  return shares.map((share, i) => (floors[i] ?? 0) * scale + rest * share);
};

/** The index that a uniform draw in [0, 1) picks: the first whose cumulative probability lies above it. Never one of probability 0. */
export const pick = (probabilities: readonly number[], draw: number): number => {
  if (!(draw >= 0 && draw < 1)) throw new InvariantError(`expected a draw of at least 0 and below 1, got ${draw}`);
  let cumulative = 0;
  for (const [index, probability] of probabilities.entries()) {
    cumulative += probability;
    if (draw < cumulative) return index;
  }
  // By rounding the sum may fall short of 1 by less than 1e-12, and the draw lie between.
  return probabilities.findLastIndex((probability) => probability > 0);
};
