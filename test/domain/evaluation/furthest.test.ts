import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openFurthest } from '../../../src/domain/evaluation/furthest.ts';

type Point = readonly [number, number];
const slopes = [1e-6, 0.01, 0.3, 1, 1.015_6, 7, 1e6];
const furthestOf = (points: readonly Point[]) => {
  const furthest = openFurthest();
  for (const [x, y] of points) furthest.add(x, y);
  return furthest;
};
const bruteForce = (points: readonly Point[], s: number) => Math.max(...points.map(([x, y]) => x + s * y));

describe('the furthest of many points', () => {
  const whole = fc.integer({ min: -4, max: 4 });
  const real = fc.double({ min: -3, max: 3, noNaN: true });

  it.each([
    ['on a grid, with ties and lines', whole],
    ['anywhere', real],
  ])('%s, in whatever direction', (_where, coordinate: fc.Arbitrary<number>) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 60 }), (points) => {
        const furthest = furthestOf(points);
        for (const s of slopes) expect(Math.abs(furthest.at(s) - bruteForce(points, s))).toBeLessThanOrEqual(1e-12 * Math.max(1, s));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  const turns = (count: number) => Array.from({ length: count }, (_, i) => ((i / count) * Math.PI) / 2);
  const onCircle = (angle: number, radius = 1): Point => [radius * Math.cos(angle), radius * Math.sin(angle)];
  const mixed = <T>(list: readonly T[]): T[] => list.map((_, i) => list[(i * 617) % list.length]!);

  it.each([
    ['clockwise', turns(3_000).toReversed()],
    ['anticlockwise', turns(3_000)],
    ['in any order', mixed(turns(3_000))],
  ])('of a circle %s is never below the truth, though it has more corners than are kept', (_how, angles) => {
    const points = angles.map((angle) => onCircle(angle));
    for (const s of slopes) {
      expect(furthestOf(points).at(s)).toBeGreaterThanOrEqual(bruteForce(points, s));
      expect(furthestOf(points).at(s)).toBeLessThanOrEqual(1 + s);
    }
  });

  it.each([
    ['the corners of one circle', mixed(turns(500)).map((angle) => onCircle(angle))],
    [
      'growing circles, whose corners fall to the next',
      Array.from({ length: 300 }, (_, k) => turns(10).map((angle) => onCircle(angle, 1 + k))).flat(),
    ],
    ['a rising column beside a point', [[2, 0] as const, ...turns(3_000).map((y): Point => [1, y])]],
    ['a widening row below a point', [[0, 2] as const, ...turns(3_000).map((x): Point => [x, 1])]],
  ])('is exact for %s', (_what, points: readonly Point[]) => {
    for (const s of slopes) expect(Math.abs(furthestOf(points).at(s) / bruteForce(points, s) - 1)).toBeLessThan(1e-14);
  });
});
