import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/random.ts';
import { pick, withFloors } from '../../../src/domain/routing/draw.ts';
import { normalPropensities } from '../../../src/domain/routing/normal-propensities.ts';
import { propensities } from '../../../src/domain/routing/propensities.ts';

describe('floors', () => {
  it('are kept, and the shares divide the rest: 0.1 + 0.7 x 0.5', () => {
    const seen = withFloors([0.5, 0.5, 0], [0.1, 0, 0.2]);
    [0.45, 0.35, 0.2].forEach((p, i) => {
      expect(seen[i]).toBeCloseTo(p, 15);
    });
    expect(withFloors([0.25, 0.75], [0, 0])).toEqual([0.25, 0.75]);
  });

  it('that exceed 1 together are scaled to share it', () => {
    expect(withFloors([1, 0], [0.75, 0.75])).toEqual([0.5, 0.5]);
  });

  it('leave probabilities that sum to 1 within 1e-12, none below its floor', () => {
    const arm = fc.record({ weight: fc.double({ min: 0, max: 1, noNaN: true }), floor: fc.double({ min: 0, max: 0.5, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(arm, { minLength: 1, maxLength: 256 }), (arms) => {
        const total = arms.reduce((sum, { weight }) => sum + weight, 0);
        const shares = arms.map(({ weight }) => (total > 1e-9 ? weight / total : 1 / arms.length));
        const floors = arms.map(({ floor }) => floor);
        const scale = Math.max(
          1,
          floors.reduce((sum, floor) => sum + floor, 0),
        );
        const seen = withFloors(shares, floors);
        expect(Math.abs(seen.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThan(1e-12);
        seen.forEach((p, i) => {
          expect(p).toBeGreaterThanOrEqual(floors[i]! / scale - 1e-15);
        });
      }),
      { seed: 67 },
    );
  });
});

describe('the draw', () => {
  it('picks the first whose cumulative probability lies above it', () => {
    expect([0, 0.2499, 0.25, 0.7499, 0.75, 0.9999].map((draw) => pick([0.25, 0.5, 0.25], draw))).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('never picks what has probability 0, at the ends least of all', () => {
    expect(pick([0, 1, 0], 0)).toBe(1);
    expect(pick([0, 1, 0], 1 - 2 ** -53)).toBe(1);
    // The sum falls short of 1 by rounding.
    expect(pick([0.1, 0.9 - 1e-13, 0], 1 - 2 ** -53)).toBe(1);
  });

  it.each([-0.1, 1, NaN, Infinity])('refuses %s', (draw) => {
    expect(() => pick([0.5, 0.5], draw)).toThrow(/expected a draw of at least 0 and below 1/);
  });
});

/** The 0.9999 quantiles of chi-square with 2 and 9 degrees of freedom: one false alarm in 10,000 runs of other seeds. */
const limits = new Map([
  [3, 18.42],
  [10, 33.72],
]);

describe('200,000 draws', () => {
  const betas = (count: number) => Array.from({ length: count }, (_, i) => ({ alpha: 3 + i, beta: 20 - i }));
  const normals = (count: number) => Array.from({ length: count }, (_, i) => ({ mean: 0.5 + 0.01 * i, sd: 0.02 + 0.01 * (i % 3) }));
  it.each([
    ['Beta', 3, propensities(betas(3))],
    ['Beta', 10, propensities(betas(10))],
    ['normal', 3, normalPropensities(normals(3))],
    ['normal', 10, normalPropensities(normals(10))],
  ] as const)('from %s propensities of %i arms with floors come out as often as is recorded', (family, count, shares) => {
    const recorded = withFloors(Array.from(shares), new Array<number>(count).fill(0.02));
    const random = seededRandom(`draws of ${family} ${count}`);
    const drawn = recorded.map(() => 0);
    const draws = 200_000;
    for (let n = 0; n < draws; n++) drawn[pick(recorded, random())]!++;
    const chiSquare = recorded.reduce((sum, p, i) => sum + (drawn[i]! - draws * p) ** 2 / (draws * p), 0);
    expect(chiSquare).toBeLessThan(limits.get(count)!);
    // The test would notice a propensity that is off by one in a hundred.
    const off = recorded.map((p, i) => (i === 0 ? p - 0.01 : i === 1 ? p + 0.01 : p));
    expect(off.reduce((sum, p, i) => sum + (drawn[i]! - draws * p) ** 2 / (draws * p), 0)).toBeGreaterThan(limits.get(count)!);
  });
});
