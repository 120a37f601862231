import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, quantile, rounded } from '../../bench/statistics.ts';

describe('quantiles', () => {
  // numpy.quantile([7, 1, 3, 10, 4], q)
  it.each([
    [0, 1],
    [0.1, 1.8],
    [0.25, 3],
    [0.5, 4],
    [0.9, 8.8],
    [0.99, 9.88],
    [1, 10],
  ])('agree with NumPy at %f', (q, expected) => {
    expect(quantile([7, 1, 3, 10, 4], q)).toBeCloseTo(expected, 12);
  });

  it('of an even count lie between', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it('do not change what they are given', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('lie between the extremes and grow with q', () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, a, b) => {
          const [low, high] = [quantile(values, Math.min(a, b)), quantile(values, Math.max(a, b))];
          expect(low).toBeLessThanOrEqual(high + 1e-9);
          expect(low).toBeGreaterThanOrEqual(Math.min(...values));
          expect(high).toBeLessThanOrEqual(Math.max(...values));
        },
      ),
      { seed: 1 },
    );
  });

  it('of nothing are refused', () => {
    expect(() => median([])).toThrow(/at least one value/);
    expect(() => quantile([1], 1.5)).toThrow(/from 0 to 1/);
  });

  it('are told with the digits that they deserve', () => {
    expect(rounded(1234.5678)).toBe(1235);
    expect(rounded(0.123456, 2)).toBe(0.12);
  });
});
