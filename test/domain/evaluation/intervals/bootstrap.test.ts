import { describe, expect, it } from 'vitest';
import { bootstrapIntervals, mostGroups, type Ratio } from '../../../../src/domain/evaluation/intervals/bootstrap.ts';
import { seededRandom } from '../../../../src/domain/random.ts';
import { InvariantError } from '../../../../src/errors.ts';

const column = (...values: readonly number[]): Float64Array => Float64Array.from(values);
const ones = (groups: number): Float64Array => new Float64Array(groups).fill(1);

/** All G^G resamples of a few groups, each as likely as the others. */
const everyResample = (ratios: readonly Ratio[]): readonly number[] => {
  const groups = ratios[0]!.numerator.length;
  return Array.from({ length: groups ** groups }, (_, code) => {
    const drawn = Array.from({ length: groups }, (_, place) => Math.floor(code / groups ** place) % groups);
    const sum = (of: Float64Array): number => drawn.reduce((total, group) => total + of[group]!, 0);
    return ratios.reduce((total, { numerator, denominator }) => total + sum(numerator) / sum(denominator), 0);
  });
};

describe('the bootstrap by groups', () => {
  it.each([
    ['a plain mean', [{ numerator: column(1, 4, 2, 9), denominator: ones(4) }]],
    ['groups of several records', [{ numerator: column(1, 4, 2, 9), denominator: column(1, 3, 1, 2) }]],
    ['a normalised mean', [{ numerator: column(0, 3, 0.5, 2), denominator: column(0.1, 4, 0.5, 2) }]],
    [
      'a sum of two ratios',
      [
        { numerator: column(1, 2, 1, 0), denominator: ones(4) },
        { numerator: column(0, 3, -0.5, 2), denominator: column(0.1, 4, 0.5, 2) },
      ],
    ],
  ])('draws %s from the exact distribution', (_what, ratios) => {
    const resamples = 40_000;
    const exact = everyResample(ratios);
    const [found] = bootstrapIntervals([ratios], { alpha: 0.2, seed: 'exact', resamples });
    const mean = exact.reduce((sum, value) => sum + value, 0) / exact.length;
    const spread = Math.sqrt(exact.reduce((sum, value) => sum + (value - mean) ** 2, 0) / exact.length);
    // Five standard errors: one false alarm in two million.
    expect(Math.abs(found!.mean - mean)).toBeLessThan((5 * spread) / Math.sqrt(resamples));
    const share = (holds: (value: number) => boolean): number => exact.filter(holds).length / exact.length;
    const slack = 5 * Math.sqrt((0.1 * 0.9) / resamples);
    // A quantile of a distribution of few values: at most its share below, at least its share up to it.
    expect(share((value) => value < found!.low - 1e-9)).toBeLessThan(0.1 + slack);
    expect(share((value) => value <= found!.low + 1e-9)).toBeGreaterThan(0.1 - slack);
    expect(share((value) => value > found!.high + 1e-9)).toBeLessThan(0.1 + slack);
    expect(share((value) => value >= found!.high - 1e-9)).toBeGreaterThan(0.1 - slack);
  });

  it('of 5,000 coins, 30 % of them good, has the quantiles of the binomial distribution', () => {
    const numerator = Float64Array.from({ length: 5_000 }, (_, i) => (i < 1_500 ? 1 : 0));
    const [found] = bootstrapIntervals([[{ numerator, denominator: ones(5_000) }]], { alpha: 0.05, seed: 'coins', resamples: 4_000 });
    // 2.5 % and 97.5 % quantiles of Binomial(5,000, 0.3) are 1,437 and 1,564; those of 4,000 draws have standard errors of 1.4.
    expect(Math.abs(found!.low - 1_437 / 5_000)).toBeLessThan(6 / 5_000);
    expect(Math.abs(found!.high - 1_564 / 5_000)).toBeLessThan(6 / 5_000);
  });

  it('makes the same draws for all estimators, and the same again for the same seed', () => {
    const random = seededRandom('columns');
    const numerator = Float64Array.from({ length: 300 }, random);
    const denominator = Float64Array.from({ length: 300 }, random);
    const twice = numerator.map((value) => 2 * value);
    const options = { alpha: 0.05, seed: 'one', resamples: 101 };
    const [one, two] = bootstrapIntervals([[{ numerator, denominator }], [{ numerator: twice, denominator }]], options);
    expect(two!.low).toBeCloseTo(2 * one!.low, 12);
    expect(two!.high).toBeCloseTo(2 * one!.high, 12);
    expect(bootstrapIntervals([[{ numerator, denominator }]], options)).toEqual([one]);
    expect(bootstrapIntervals([[{ numerator, denominator }]], { ...options, seed: 'other' })).not.toEqual([one]);
  });

  it('holds records of one conversation together: copies of a record in one group say no more than it', () => {
    const random = seededRandom('copies');
    const single = Float64Array.from({ length: 400 }, () => (random() < 0.4 ? 1 : 0));
    const tenfold = single.map((value) => 10 * value);
    const options = { alpha: 0.05, seed: 'copies' };
    const [one] = bootstrapIntervals([[{ numerator: single, denominator: ones(400) }]], options);
    const [ten] = bootstrapIntervals([[{ numerator: tenfold, denominator: ones(400).fill(10) }]], options);
    expect(ten!.low).toBeCloseTo(one!.low, 12);
    expect(ten!.high).toBeCloseTo(one!.high, 12);
  });

  it('says nothing where a resample may have no weight, and does of the other estimators', () => {
    const weights = column(1, 0, 0, 0, 0, 0);
    const [without, plain] = bootstrapIntervals(
      [[{ numerator: weights, denominator: weights }], [{ numerator: weights, denominator: ones(6) }]],
      { alpha: 0.05, seed: 1 },
    );
    expect(without).toBeNull();
    expect(plain!.low).toBe(0);
    expect(bootstrapIntervals([], { alpha: 0.05, seed: 1 })).toEqual([]);
  });

  it.each([
    ['columns of different lengths', [{ numerator: ones(3), denominator: ones(4) }], {}],
    ['no groups', [{ numerator: ones(0), denominator: ones(0) }], {}],
    ['more groups than there may be', [{ numerator: ones(mostGroups + 1), denominator: ones(mostGroups + 1) }], {}],
    ['an alpha of 0', [{ numerator: ones(3), denominator: ones(3) }], { alpha: 0 }],
    ['no resamples', [{ numerator: ones(3), denominator: ones(3) }], { resamples: 0 }],
    ['too many', [{ numerator: ones(3), denominator: ones(3) }], { resamples: 100_001 }],
  ])('%s are refused', (_what, ratios, options) => {
    expect(() => bootstrapIntervals([ratios], { alpha: 0.05, seed: 1, ...options })).toThrow(InvariantError);
  });
});
