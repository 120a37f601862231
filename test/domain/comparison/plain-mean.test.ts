import { describe, expect, it } from 'vitest';
import { intervalOf, welchDifference, type PlainMean } from '../../../src/domain/comparison/plain-mean.ts';
import { studentQuantile, studentTail } from '../../../src/domain/comparison/student-t.ts';

const sample = (values: readonly number[]): PlainMean => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { answers: values.length, mean, variance: values.length < 2 ? null : squares / (values.length - 1) };
};

describe("Student's t", () => {
  // scipy.stats.t.ppf(0.975, nu) and 2 * scipy.stats.t.sf(2.3, nu)
  it.each([
    [1, 12.706_204_736_174_694, 0.261_095_174_177_245_54],
    [2, 4.302_652_729_749_462, 0.148_148_148_148_148_15],
    [4.7, 2.620_726_075_353_17, 0.073_120_523_009_537_56],
    [30, 2.042_272_456_301_237_8, 0.028_581_387_287_141_748],
    [1e5, 1.959_987_707_534_609_5, 0.021_450_269_109_320_224],
  ])('with %d degrees of freedom is what scipy computes', (degrees, quantile, tail) => {
    expect(Math.abs(studentQuantile(0.05, degrees) / quantile - 1)).toBeLessThan(1e-10);
    expect(Math.abs(studentTail(2.3, degrees) / tail - 1)).toBeLessThan(1e-10);
    expect(studentTail(-2.3, degrees)).toBe(studentTail(2.3, degrees));
  });

  it('keeps far tails and goes over into the normal distribution', () => {
    // scipy: 2 * t.sf(40, 30), 2 * t.sf(2.3, 1e9), 2 * norm.sf(2.3)
    expect(Math.abs(studentTail(40, 30) / 1.3726045194406417e-27 - 1)).toBeLessThan(1e-9);
    expect(studentTail(2.3, 1e9)).toBeCloseTo(0.021_448_220_248_255_24, 14);
    expect(studentTail(2.3, 1e15)).toBeCloseTo(0.021_448_220_043_351_37, 14);
    expect(studentTail(0, 5)).toBe(1);
  });
});

describe('a plain mean', () => {
  it('has the interval that R computes: t.test(c(1, 2, 3, 4, 7))', () => {
    const interval = intervalOf(sample([1, 2, 3, 4, 7]), 0.95);
    expect(interval?.low).toBeCloseTo(0.541_474_8, 6);
    expect(interval?.high).toBeCloseTo(6.258_525, 6);
  });

  it('has none where nothing says how far values spread', () => {
    expect(intervalOf(sample([3]), 0.95)).toBeNull();
    expect(intervalOf(sample([3, 3, 3]), 0.95)).toBeNull();
  });
});

describe("Welch's test", () => {
  it('is what scipy computes: ttest_ind(b, a, equal_var=False)', () => {
    const { difference, low, high, p } = welchDifference(sample([0.2, 0.9, 0.4, 0.7, 1, 0]), sample([0.1, 0.3, 0.35, 0.9]), 0.95);
    expect(difference).toBeCloseTo(0.4125 - 1.6 / 3, 14);
    expect(low).toBeCloseTo(-0.674_735_459_321_283_1, 10);
    expect(high).toBeCloseTo(0.433_068_792_654_616_4, 10);
    expect(p).toBeCloseTo(0.624_003_681_748_842_4, 11);
  });

  it('needs two values on both sides, and some spread on one', () => {
    const none = { low: null, high: null, p: null };
    expect(welchDifference(sample([1]), sample([2, 3]), 0.95)).toEqual({ difference: 1.5, ...none });
    expect(welchDifference(sample([1, 1]), sample([2, 2]), 0.95)).toEqual({ difference: 1, ...none });
    expect(welchDifference(sample([1, 1]), sample([2, 4]), 0.95).p).toBeGreaterThan(0.1);
  });
});
