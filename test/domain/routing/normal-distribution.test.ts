import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalCdf, normalQuantile } from '../../../src/domain/routing/normal-distribution.ts';
import { largestTabulated, lookUpNormal } from '../../../src/domain/routing/normal-table.ts';

const expectRelative = (seen: number, expected: number, error: number) => {
  expect(Math.abs(seen / expected - 1), `${seen} for ${expected}`).toBeLessThan(error);
};

describe('the normal distribution function', () => {
  // Computed with 40 digits, by mpmath.
  it.each([
    [-37, 5.7255712225245768e-300],
    [-20.3, 6.4292444676983463e-92],
    [-10, 7.6198530241605261e-24],
    [-5.7, 5.9903714010635282e-9],
    [-5.6, 1.0717590258310929e-8],
    [-3, 0.0013498980316300945],
    [-1, 0.15865525393145705],
    [-0.67, 0.2514288950953101],
    [-0.66, 0.25462691467133614],
    [-0.1, 0.46017216272297102],
    [0.5, 0.6914624612740131],
    [0.7, 0.75803634777692697],
    [1.96, 0.97500210485177956],
    [5, 0.99999971334842812],
  ])('at %s is %s to 1e-15 of it', (z, expected) => {
    expectRelative(normalCdf(z), expected, 1e-15);
  });

  it('has its limits', () => {
    expect([-Infinity, -50, 0, 50, Infinity].map(normalCdf)).toEqual([0, 0, 0.5, 1, 1]);
    expect(normalCdf(NaN)).toBeNaN();
  });

  it('rises, and both sides make 1', () => {
    const z = fc.double({ min: -12, max: 12, noNaN: true });
    fc.assert(
      fc.property(z, z, (a, b) => {
        expect(normalCdf(Math.min(a, b))).toBeLessThanOrEqual(normalCdf(Math.max(a, b)) * (1 + 1e-15));
        expect(Math.abs(normalCdf(a) + normalCdf(-a) - 1)).toBeLessThan(3e-16);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});

describe('the normal quantile', () => {
  it.each([
    [1e-300, -37.047096299361199],
    [1e-12, -7.0344838253011319],
    [2e-11, -6.6040775904056343],
    [1e-5, -4.2648907939228246],
    [0.025, -1.9599639845400542],
    [0.07, -1.4757910281791707],
    [0.08, -1.4050715603096325],
    [0.4, -0.25334710313579974],
    [0.6, 0.25334710313579974],
    [0.975, 1.9599639845400539],
    [0.999, 3.0902323061678133],
  ])('at %s is %s to 1e-15 of it', (p, expected) => {
    expectRelative(normalQuantile(p), expected, 1e-15);
  });

  it('undoes the distribution function', () => {
    fc.assert(
      fc.property(fc.double({ min: -37, max: 3, noNaN: true }), (z) => {
        expect(Math.abs(normalQuantile(normalCdf(z)) - z)).toBeLessThan(1e-13);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it('has its limits and refuses what is no probability', () => {
    expect([0, 0.5, 1].map(normalQuantile)).toEqual([-Infinity, 0, Infinity]);
    for (const p of [-1e-9, 1.1, NaN]) expect(() => normalQuantile(p)).toThrow(/expected a probability from 0 to 1/);
  });
});

describe('the table of the normal distribution', () => {
  it('holds the distribution function within 1e-15 and the density within 1e-13', () => {
    const [below, densities] = [new Float64Array(1), new Float64Array(1)];
    let [error, densityError, least] = [0, 0, 1];
    // Steps that meet no sixteenth twice at the same place.
    for (let z = -largestTabulated; z <= largestTabulated; z += 0.00173) {
      lookUpNormal(z, below, densities, 0);
      error = Math.max(error, Math.abs(below[0]! - normalCdf(z)));
      densityError = Math.max(densityError, Math.abs(densities[0]! - Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)));
      least = Math.min(least, below[0]!);
    }
    expect(error).toBeLessThan(1e-15);
    expect(densityError).toBeLessThan(1e-13);
    // It is divided by.
    expect(least).toBeGreaterThan(0);
    lookUpNormal(1e9, below, densities, 0);
    expect(below[0]).toBe(1);
  });
});
