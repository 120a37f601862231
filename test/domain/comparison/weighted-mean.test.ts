import { describe, expect, it } from 'vitest';
import {
  differenceOf,
  weightedMean,
  type Difference,
  type WeightedMean,
  type WeightedSums,
} from '../../../src/domain/comparison/weighted-mean.ts';
import { seededRandom } from '../../../src/domain/random.ts';

const noWeightedSums: WeightedSums = { answers: 0, weight: 0, weightSquare: 0, value: 0, valueOfSquares: 0, squareOfSquares: 0 };

const addWeighted = (sums: WeightedSums, y: number, propensity: number): WeightedSums => {
  const w = 1 / propensity;
  return {
    answers: sums.answers + 1,
    weight: sums.weight + w,
    weightSquare: sums.weightSquare + w * w,
    value: sums.value + w * y,
    valueOfSquares: sums.valueOfSquares + w * w * y,
    squareOfSquares: sums.squareOfSquares + w * w * y * y,
  };
};

type Answer = readonly [value: number, propensity: number];
const meanOf = (answers: readonly Answer[]): WeightedMean => {
  const mean = weightedMean(answers.reduce<WeightedSums>((sums, [y, p]) => addWeighted(sums, y, p), noWeightedSums));
  if (mean === null) throw new Error('expected answers');
  return mean;
};

// By numpy and scipy.stats.norm, from the formulas over the answers themselves.
const first = meanOf([
  [0.2, 0.5],
  [0.9, 0.1],
  [0.4, 0.8],
  [0.7, 0.25],
  [1, 0.4],
]);
const second = meanOf([
  [0.1, 0.5],
  [0.3, 0.9],
  [0.35, 0.2],
  [0.9, 0.05],
]);

describe('the weighted mean', () => {
  it('has the mean, variance and effective answers that numpy computes', () => {
    expect(first.mean).toBeCloseTo(0.769_620_253_164_557, 14);
    expect(first.variance).toBeCloseTo(0.009_281_829_221_356_433, 14);
    expect(first.effective).toBeCloseTo(3.051_833_740_831_296, 12);
    expect(second.mean).toBeCloseTo(0.721_541_501_976_284_5, 14);
    expect(second.variance).toBeCloseTo(0.022_720_704_445_337_393, 14);
  });

  it('is the plain mean where all had the same propensity', () => {
    const even = meanOf([
      [1, 0.25],
      [2, 0.25],
      [6, 0.25],
    ]);
    expect(even.mean).toBeCloseTo(3, 14);
    expect(even.effective).toBeCloseTo(3, 12);
    // (4 + 1 + 9) / 3 / 3
    expect(even.variance).toBeCloseTo(14 / 9, 12);
  });

  it('of nothing is none, and of equal values has no variance left by rounding', () => {
    expect(weightedMean(noWeightedSums)).toBeNull();
    const same = Array.from({ length: 1_000 }, (_, i): Answer => [1_234_567.1, 0.01 + i / 1_010]);
    expect(meanOf(same)).toMatchObject({ variance: 0 });
  });
});

describe('the difference', () => {
  it('has the interval and p that scipy computes', () => {
    const { difference, low, high, p } = differenceOf(first, second, 0.95);
    expect(difference).toBeCloseTo(-0.048_078_751_188_272_43, 13);
    expect(low).toBeCloseTo(-0.398_701_647_243_966, 12);
    expect(high).toBeCloseTo(0.302_544_144_867_421_15, 12);
    expect(p).toBeCloseTo(0.788_116_107_793_876_6, 12);
  });

  it('without any spread has no interval', () => {
    const one = meanOf([[1, 0.5]]);
    expect(differenceOf(one, meanOf([[3, 0.5]]), 0.95)).toEqual({ difference: 2, low: null, high: null, p: null });
  });
});

/**
 * The world: half of the requests are easy. `large` is better for both kinds, by 0.05 and by 0.10, so by 0.075 over all requests; but it is given the hard ones, so that the plain mean of its
 * answers is lower by about 0.2. 1,000 yards of 1,500 requests each; of a right interval the share that holds 0.075 lies within 0.93 to 0.97 but for 4 seeds in 1,000.
 */
const truth = 0.075;
const success = { small: { easy: 0.85, hard: 0.45 }, large: { easy: 0.9, hard: 0.55 } };
const yards = 1_000;
const requests = 1_500;

type Policy = (kind: 'easy' | 'hard', sofar: { readonly small: Tally; readonly large: Tally }) => number;
type Tally = { trials: number; successes: number };

const runYard = (seed: string, shareOfLarge: Policy, weigh: (propensity: number) => number): Difference => {
  const random = seededRandom(seed);
  const sums = { small: noWeightedSums, large: noWeightedSums };
  const sofar = { small: { trials: 0, successes: 0 }, large: { trials: 0, successes: 0 } };
  for (let i = 0; i < requests; i++) {
    const kind = random() < 0.5 ? 'easy' : 'hard';
    const large = shareOfLarge(kind, sofar);
    const arm = random() < large ? 'large' : 'small';
    const y = random() < success[arm][kind] ? 1 : 0;
    sums[arm] = addWeighted(sums[arm], y, weigh(arm === 'large' ? large : 1 - large));
    sofar[arm].trials++;
    sofar[arm].successes += y;
  }
  const [small, large] = [weightedMean(sums.small), weightedMean(sums.large)];
  if (small === null || large === null) throw new Error('expected both arms to have answers');
  return differenceOf(small, large, 0.95);
};

const coverage = (name: string, policy: Policy, weigh = (propensity: number) => propensity): number => {
  let holds = 0;
  for (let yard = 0; yard < yards; yard++) {
    const { low, high } = runYard(`${name} ${yard}`, policy, weigh);
    if (low !== null && high !== null && low <= truth && truth <= high) holds++;
  }
  return holds / yards;
};

const byKind: Policy = (kind) => (kind === 'hard' ? 0.9 : 0.1);

describe('the 95 % interval', () => {
  it('holds the truth 95 times in 100 under a policy that gives the arms different requests', () => {
    const share = coverage('by kind', byKind);
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });

  it('of the plain means hardly ever does', () => {
    expect(coverage('by kind', byKind, () => 1)).toBeLessThan(0.01);
  });

  it('does so too under a policy that learns while it goes, with a floor', () => {
    const greedy: Policy = (kind, { small, large }) => {
      const lead = (large.successes + 1) / (large.trials + 2) - (small.successes + 1) / (small.trials + 2);
      return Math.min(0.9, Math.max(0.1, byKind(kind, { small, large }) + lead));
    };
    const share = coverage('greedy', greedy);
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(0.97);
  });
});
