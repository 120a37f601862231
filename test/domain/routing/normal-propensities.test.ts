import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalFrom, seededRandom } from '../../../src/domain/random.ts';
import { normalCdf } from '../../../src/domain/routing/normal-distribution.ts';
import { normalPropensities, type NormalParameters } from '../../../src/domain/routing/normal-propensities.ts';
import { InvariantError } from '../../../src/errors.ts';
import { normalPropensitiesByCells } from '../support/normal-quadrature.ts';

const arm = (mean: number, sd: number): NormalParameters => ({ mean, sd });
const largestError = (seen: Iterable<number>, expected: readonly number[]): number => {
  const values = [...seen];
  expect(values).toHaveLength(expected.length);
  return Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
};
const expectClose = (seen: Iterable<number>, expected: readonly number[], error: number) => {
  expect(largestError(seen, expected)).toBeLessThan(error);
};

/** Spread evenly over orders of magnitude. */
const spread = (from: number, to: number) => fc.double({ min: from, max: to, noNaN: true }).map((exponent) => 10 ** exponent);
/** Standard deviations that differ by up to 1e4, means that leave the outcome open or do not. */
const anyArm = fc
  .tuple(fc.double({ min: -3, max: 3, noNaN: true }), spread(-4, 0), fc.constantFrom(1e-3, 0.1, 1))
  .map(([mean, sd, scale]) => arm(mean * scale, sd));
const anyArms = (least: number, most: number) => fc.array(anyArm, { minLength: least, maxLength: most });

describe('normal propensities against closed forms', () => {
  it('a single arm is always the best', () => {
    expect([...normalPropensities([arm(-3, 5)])]).toEqual([1]);
    expect([...normalPropensities([arm(0.3, 0)])]).toEqual([1]);
    expect([...normalPropensities([])]).toEqual([]);
  });

  it('two arms: the difference is normal, so is the error below 1e-15', () => {
    fc.assert(
      fc.property(anyArm, anyArm, (a, b) => {
        const first = normalCdf((a.mean - b.mean) / Math.sqrt(a.sd ** 2 + b.sd ** 2));
        expectClose(normalPropensities([a, b]), [first, 1 - first], 1e-12);
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(normalPropensities([arm(0, 3), arm(1, 4)])[0]).toBeCloseTo(0.42074029056089696, 15);
  });

  it('equal arms share, from the narrowest to the broadest, two to 256 of them', () => {
    for (const [mean, sd] of [
      [0, 1],
      [0.7, 1e-9],
      [-1e12, 1e6],
      [1e15, 1e-9],
      [1e308, 0.1],
    ] as const)
      for (const count of [2, 3, 4, 16, 17, 256])
        expectClose(
          normalPropensities(new Array<NormalParameters>(count).fill(arm(mean, sd))),
          new Array<number>(count).fill(1 / count),
          1e-11,
        );
  });

  it('three and four arms with one mean: orthants of their differences, for standard deviations from 1e-9 to 1e6', () => {
    // P(all n differences with arm i > 0) = 1 / 2^n + sum over pairs of asin(correlation) / (2^(n - 1) pi), n = 2 and 3; Sheppard 1899.
    const orthant = (i: number, sds: readonly number[]): number => {
      const others = sds.filter((_, j) => j !== i);
      const own = sds[i]!;
      let angles = 0;
      others.forEach((a, k) => {
        for (const b of others.slice(k + 1)) angles += Math.asin(1 / (Math.hypot(1, a / own) * Math.hypot(1, b / own)));
      });
      return 1 / 2 ** others.length + angles / (2 ** (others.length - 1) * Math.PI);
    };
    const sds = fc.oneof(fc.array(spread(-9, 6), { minLength: 3, maxLength: 4 }), fc.array(spread(-2, 0), { minLength: 3, maxLength: 4 }));
    fc.assert(
      fc.property(sds, (list) => {
        const expected = list.map((_, i) => orthant(i, list));
        expectClose(normalPropensities(list.map((sd) => arm(0.25, sd))), expected, 1e-10);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it('a point mass beside m equal arms wins with probability F^m', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 5, noNaN: true }), spread(-9, 6), fc.integer({ min: 1, max: 15 }), (z, sd, others) => {
        const point = normalCdf(z) ** others;
        const list = [...new Array<NormalParameters>(others).fill(arm(-z * sd, sd)), arm(0, 0)];
        expectClose(normalPropensities(list), [...new Array<number>(others).fill((1 - point) / others), point], 1e-10);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('point masses: the best wins, equal ones share, also beside arms that vary', () => {
    expect([...normalPropensities([arm(1, 0), arm(2, 0), arm(0, 0), arm(2, 0)])]).toEqual([0, 0.5, 0, 0.5]);
    // Seen from 5 the two are one.
    expect(normalPropensities([arm(0, 0), arm(1e-17, 0), arm(5, 2), arm(4, 2)])[0]).toBe(0);
    // A point mass at the end of an arm that varies.
    expectClose(normalPropensities([arm(7, 0), arm(0, 1), arm(7, 1)]), [0.5, 0, 0.5], 1e-11);
    expectClose(normalPropensities([arm(0, 0), arm(0, 1), arm(-1, 0), arm(0, 0)]), [0.25, 0.5, 0, 0.25], 1e-15);
    expectClose(
      normalPropensities([arm(0, 2), arm(0, 0), arm(0, 1), arm(0, 0)]),
      [1 / 4 + Math.atan(2) / (2 * Math.PI), 1 / 8, 1 / 4 + Math.atan(1 / 2) / (2 * Math.PI), 1 / 8],
      1e-10,
    );
  });
});

describe('normal propensities against other computations', () => {
  it('Gauss nodes on many small cells', () => {
    fc.assert(
      fc.property(anyArms(2, 6), (list) => {
        expectClose(normalPropensities(list), normalPropensitiesByCells(list), 1e-10);
      }),
      { seed: 4, numRuns: 60 },
    );
    fc.assert(
      fc.property(anyArms(16, 16), (list) => {
        expectClose(normalPropensities(list), normalPropensitiesByCells(list), 1e-10);
      }),
      { seed: 5, numRuns: 6 },
    );
  });

  it('draws, by chi-square (one false alarm in 100,000 seeds); other formulas fail the same test', () => {
    const list = [arm(0.5, 0.1), arm(0.45, 0.2), arm(0.55, 0.05), arm(0.4, 0.15)];
    const random = seededRandom('normal propensities');
    const draws = 200_000;
    const wins = list.map(() => 0);
    for (let n = 0; n < draws; n++) {
      const samples = list.map(({ mean, sd }) => mean + sd * normalFrom(random));
      wins[samples.indexOf(Math.max(...samples))]!++;
    }
    const chiSquare = (shares: Iterable<number>): number =>
      [...shares].reduce((sum, share, i) => sum + (wins[i]! - draws * share) ** 2 / (draws * share), 0);
    // Beyond this a chi-square of three degrees of freedom falls with probability 1e-5.
    const limit = 25.9;
    expect(chiSquare(normalPropensities(list))).toBeLessThan(limit);
    expect(chiSquare(asIfPairsWereIndependent(list))).toBeGreaterThan(limit);
    expect(chiSquare(normalPropensities(list.map(({ mean, sd }) => arm(mean, sd * (sd > 0.1 ? 1.05 : 1)))))).toBeGreaterThan(limit);
  });

  it('the check against cells rejects what takes pairs for independent', () => {
    const list = [arm(0.5, 0.1), arm(0.45, 0.2), arm(0.55, 0.05)];
    expect(largestError(asIfPairsWereIndependent(list), normalPropensitiesByCells(list))).toBeGreaterThan(1e-3);
  });
});

/** Wrong on purpose: the events of being above each other arm are not independent. */
const asIfPairsWereIndependent = (arms: readonly NormalParameters[]): number[] => {
  const products = arms.map((a) =>
    arms.reduce((product, b) => (a === b ? product : product * normalCdf((a.mean - b.mean) / Math.hypot(a.sd, b.sd))), 1),
  );
  return products.map((product) => product / products.reduce((sum, other) => sum + other, 0));
};

describe('laws of normal propensities', () => {
  it('none is negative, they sum to 1 within 1e-12, the order of the arms does not matter, another arm takes from all', () => {
    fc.assert(
      fc.property(anyArms(1, 24), anyArm, (list, added) => {
        const before = normalPropensities(list);
        expect(before.every((p) => p >= 0 && p <= 1)).toBe(true);
        expect(Math.abs(before.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
        expectClose(normalPropensities(list.toReversed()).reverse(), [...before], 1e-11);
        expect(normalPropensities(list)).toEqual(before);
        normalPropensities([...list, added])
          .slice(0, -1)
          .forEach((p, i) => {
            expect(p).toBeLessThan(before[i]! + 1e-9);
          });
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it('neither a shift nor a scale matters', () => {
    fc.assert(
      fc.property(anyArms(2, 6), fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -100, max: 100 }), (list, shift, exponent) => {
        // A grid on which the shift loses no digit, and powers of two.
        const exact = list.map(({ mean, sd }) => arm(Math.round(mean * 2 ** 30) / 2 ** 30, sd));
        const moved = exact.map(({ mean, sd }) => arm(mean + shift, sd));
        const scaled = exact.map(({ mean, sd }) => arm(mean * 2 ** exponent, sd * 2 ** exponent));
        expectClose(normalPropensities(moved), [...normalPropensities(exact)], 1e-10);
        expectClose(normalPropensities(scaled), [...normalPropensities(exact)], 1e-12);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('a higher mean helps its arm and harms every other', () => {
    fc.assert(
      fc.property(anyArms(2, 8), spread(-4, 1), (list, rise) => {
        const before = normalPropensities(list);
        const after = normalPropensities(list.map(({ mean, sd }, i) => arm(i === 0 ? mean + rise : mean, sd)));
        after.forEach((p, i) => {
          if (i === 0) expect(p).toBeGreaterThan(before[i]! - 1e-10);
          else expect(p).toBeLessThan(before[i]! + 1e-10);
        });
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  it('holds for 256 arms of all widths', () => {
    fc.assert(
      fc.property(anyArms(256, 256), (list) => {
        expect(Math.abs(normalPropensities(list).reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
      }),
      { seed: 9, numRuns: 20 },
    );
  });

  it('is one-sided where one arm is certainly better, also at the ends of the range of doubles', () => {
    expect([...normalPropensities([arm(1, 0.05), arm(0, 0.05), arm(-5, 0.05)])]).toEqual([1, 0, 0]);
    expect([...normalPropensities([arm(-1.7e308, 1), arm(1.7e308, 1e6), arm(1.7e308, 1e6)])]).toEqual([0, 0.5, 0.5]);
    expectClose(normalPropensities([arm(0, 1e-100), arm(0, 1), arm(0, 1e100)]), [0.25, 0.25, 0.5], 1e-10);
  });

  it('keeps narrow arms apart that are far from the middle of a broad one', () => {
    const narrow = [arm(-3e6, 1e-9), arm(-3e6 + 2 ** -30, 1e-9)];
    const p = normalPropensities([...narrow, arm(0, 1e6)]);
    const alone = normalCdf(-(2 ** -30) / Math.hypot(1e-9, 1e-9));
    expect(p[0]! / (p[0]! + p[1]!)).toBeCloseTo(alone, 6);
    expect(p[2]).toBeCloseTo(normalCdf(3), 9);
  });

  it.each([
    [0, -1],
    [0, NaN],
    [0, Infinity],
    [0, 1e-320],
    [0, 1e300],
    [NaN, 1],
    [Infinity, 0],
  ])('refuses mean %s with standard deviation %s', (mean, sd) => {
    expect(() => normalPropensities([arm(mean, sd), arm(0, 1)])).toThrow(InvariantError);
    expect(() => normalPropensities([arm(mean, sd)])).toThrow(
      /expected a finite mean and a standard deviation of 0 or from 1e-100 to 1e\+100/,
    );
  });
});
