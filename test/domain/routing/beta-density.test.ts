import { describe, expect, it } from 'vitest';
import { betaDensity, logDensity, stirlingRemainder } from '../../../src/domain/routing/beta-density.ts';

/** log Gamma(z) with 20 digits, from mpmath. */
const logGammas: readonly (readonly [number, number])[] = [
  [1e-3, 6.907178885383853682],
  [0.5, 0.5723649429247000871],
  [1, 0],
  [3.25, 0.93580193110872535826],
  [10, 12.80182748008146961],
  [123.456, 469.60554712992946873],
];

describe('the Stirling remainder', () => {
  it.each(logGammas)('gives log Gamma(%s) back', (z, expected) => {
    const stirling = (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI);
    expect(Math.abs(stirling + stirlingRemainder(z) - expected)).toBeLessThan(1e-15 * Math.max(10, Math.abs(expected)));
  });
});

describe('the density over the logit', () => {
  it('is x^a (1 - x)^b / B(a, b): here for Beta(3, 2), where 1 / B = 12', () => {
    for (const y of [-30, -2, 0, 0.7, 25]) {
      const x = 1 / (1 + Math.exp(-y));
      const rest = 1 / (1 + Math.exp(y));
      expect(Math.exp(logDensity(betaDensity(3, 2), y)) / (12 * x ** 3 * rest ** 2)).toBeCloseTo(1, 13);
    }
  });

  it('has less than 1e-11 of its mass on either side of its range, by the bound for log-concave densities f / |slope|', () => {
    for (const alpha of [1e-3, 0.1, 1, 40, 1e4, 1e7])
      for (const beta of [1e-3, 0.1, 1, 40, 1e4, 1e7]) {
        const density = betaDensity(alpha, beta);
        for (const end of [density.lower, density.upper]) {
          const slope = Math.abs(alpha - (alpha + beta) / (1 + Math.exp(-end)));
          expect(Math.exp(logDensity(density, end)) / slope, `Beta(${alpha}, ${beta})`).toBeLessThan(1e-11);
        }
        expect(density.lower).toBeLessThan(density.peak);
        expect(density.upper).toBeGreaterThan(density.peak);
      }
  });
});
