/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns of one size, and this runs for every record */
import type { Sample } from '../../domain/evaluation/sample.ts';

/**
 * As how many records those count that show the rarer outcome, with the candidate's weights: (sum of w r)^2 / sum of (w r)^2, and the same of 1 - r. A log can carry as much as thousands of records of its mean weight, and hold three
 * successes among them: then it is these three that an estimate rests on, and every interval that reads its width from the sample is too narrow.
 */
export type Rarity = {
  readonly add: (sample: Sample) => void;
  /** The smaller of the two; those that are not there at all do not count. Null where neither is. */
  readonly finish: () => number | null;
};

export const openRarity = (): Rarity => {
  const sums = new Float64Array(4);
  return {
    add: ({ size, outcome, logged, candidate }) => {
      for (let i = 0; i < size; i++) {
        const w = candidate[i]! / logged[i]!;
        const high = w * outcome[i]!;
        const low = w * (1 - outcome[i]!);
        sums[0]! += high;
        sums[1]! += high * high;
        sums[2]! += low;
        sums[3]! += low * low;
      }
    },
    finish: () => {
      const found = [effective(sums[0]!, sums[1]!), effective(sums[2]!, sums[3]!)].filter((count) => count > 0);
      return found.length === 0 ? null : Math.min(...found);
    },
  };
};

const effective = (sum: number, squares: number): number => (squares > 0 ? sum ** 2 / squares : 0);
