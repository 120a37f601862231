import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalFrom, seededRandom } from '../../src/domain/random.ts';

const draws = (seed: string | number, count: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
};

describe('seededRandom', () => {
  // Computed with an implementation of SHA-256 and sfc32 in Python.
  test.each([
    ['1', [0.6755079327649504, 0.2479399784707651, 0.2533718841221272], 0.45803600255043586],
    ['switchyard', [0.7910203942073436, 0.40511549132048674, 0.24282162451424072], 0.7632264328094028],
    ['ü:req-1', [0.677274183857134, 0.6458641536144872, 0.22581976598218978], 0.2617001298471393],
  ])('gives the numbers of the reference for %s', (seed, first, thousandth) => {
    expect(draws(seed, 3)).toEqual(first);
    expect(draws(seed, 1_000).at(-1)).toBe(thousandth);
  });

  test('gives the same numbers for the same seed, others for another, all in [0, 1)', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const numbers = draws(one, 20);
        expect(draws(one, 20)).toEqual(numbers);
        if (one !== other) expect(draws(other, 20)).not.toEqual(numbers);
        expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
      }),
      { seed: 7 },
    );
    expect(draws(7, 3)).toEqual(draws('7', 3));
  });

  test('is uniform within a sequence and over the first numbers of successive seeds', () => {
    // Chi-square over 100 cells, 99 degrees of freedom: above 148.2 with probability 0.001. The seeds are fixed, so the test does not flicker.
    const chiSquare = (numbers: readonly number[]) => {
      const cells = new Array<number>(100).fill(0);
      for (const number of numbers) cells[Math.floor(number * 100)]! += 1;
      return cells.reduce((sum, seen) => sum + (seen - numbers.length / 100) ** 2 / (numbers.length / 100), 0);
    };
    expect(chiSquare(draws('within', 100_000))).toBeLessThan(148.2);
    expect(chiSquare(Array.from({ length: 20_000 }, (_, n) => draws(`request-${n}`, 1)[0]!))).toBeLessThan(148.2);
  });

  test('gives normal numbers of mean 0 and deviation 1', () => {
    const random = seededRandom('normal');
    const numbers = Array.from({ length: 50_000 }, () => normalFrom(random));
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
    // Four standard errors: 4 / sqrt(50,000) and 4 * sqrt(2 / 50,000).
    expect(Math.abs(mean)).toBeLessThan(0.018);
    expect(Math.abs(variance - 1)).toBeLessThan(0.026);
  });
});
