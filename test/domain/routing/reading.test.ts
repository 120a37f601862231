import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addInto, noSums, sumsOf, type Sums } from '../../../src/domain/routing/sums.ts';
import { rewardSum, rewardVariance, trialsOf } from '../../../src/domain/routing/reading.ts';
import { evidenceOf, weights } from '../support/events.ts';
import { successOnly } from '../support/routing.ts';

type Parts = Parameters<typeof evidenceOf>[0];
const summed = (rewards: readonly Parts[]): Sums => {
  const sums = noSums();
  for (const parts of rewards) addInto(sums, sumsOf(evidenceOf(parts)));
  return sums;
};
const micro = fc.integer({ min: 0, max: 1_000_000 });
const anyRewards = fc.array(fc.record({ success: micro, streaming: micro, cache: fc.constantFrom(0, 1_000_000), cost: micro }), {
  minLength: 1,
  maxLength: 50,
});

const varianceOf = (values: readonly number[]): number => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
};

describe('sums read as a reward', () => {
  it('are trials and the weighted sum of the parts: 0.4 x 1 + 0.2 x 0.5 + 0.2 x 0 + 0.2 x 0.25, twice', () => {
    const sums = summed(new Array<Parts>(2).fill({ success: 1_000_000, streaming: 500_000, cache: 0, cost: 250_000 }));
    expect(trialsOf(sums)).toBe(2);
    expect(rewardSum(sums, weights)).toBeCloseTo(2 * 0.55, 14);
    expect(rewardSum(sums, { success: 0, streaming: 0, cache: 0, cost: 1 })).toBe(0.5);
  });

  it('have, for one part, the variance of the rewards and of one coin more', () => {
    fc.assert(
      fc.property(anyRewards, (rewards) => {
        // One trial more that is half 0 and half 1.
        const [n, values] = [rewards.length, rewards.map(({ success }) => success / 1_000_000)];
        const mean = (values.reduce((sum, value) => sum + value, 0) + 0.5) / (n + 1);
        const square = (values.reduce((sum, value) => sum + value * value, 0) + 0.5) / (n + 1);
        expect(rewardVariance(summed(rewards), successOnly)).toBeCloseTo(Math.max(1e-4, square - mean * mean), 5);
      }),
      { seed: 63 },
    );
  });

  it('have, for all parts together, no less than the variance of the rewards, however the parts go together', () => {
    fc.assert(
      fc.property(anyRewards, (rewards) => {
        const own = rewards.map(
          ({ success, streaming, cache, cost }) => (0.4 * success + 0.2 * streaming + 0.2 * cache + 0.2 * cost) / 1_000_000,
        );
        expect(rewardVariance(summed(rewards), weights)).toBeGreaterThan(varianceOf(own) * (rewards.length / (rewards.length + 1)) - 1e-5);
      }),
      { seed: 64 },
    );
  });

  it('have the variance of a coin before anything is known, and never none', () => {
    expect(rewardVariance(noSums(), successOnly)).toBe(0.25);
    expect(
      rewardVariance(summed(new Array<Parts>(100_000).fill({ success: 1_000_000, streaming: 0, cache: 0, cost: 0 })), successOnly),
    ).toBe(1e-4);
  });
});
