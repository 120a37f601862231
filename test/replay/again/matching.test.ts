import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/random.ts';
import { createMatching, drawnArm } from '../../../src/replay/again/matching.ts';

const arms = ['a', 'b', 'c'];

/** Accepted records by arm, of `count` records of a log with these probabilities, for a candidate with those. */
const accepted = (options: {
  readonly log: readonly number[];
  readonly candidate: readonly number[];
  readonly acceptance: number | null;
  readonly count: number;
}) => {
  const { log, candidate, acceptance, count } = options;
  const random = seededRandom('the log');
  const matching = createMatching({ seed: 'the draws', acceptance });
  const counts = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const u = random();
    const arm = u < (log[0] ?? 0) ? 0 : u < (log[0] ?? 0) + (log[1] ?? 0) ? 1 : 2;
    const match = matching.match({
      draw: matching.drawOf(`record ${i}`),
      share: candidate[arm] ?? 0,
      propensity: log[arm] ?? 0,
      probabilities: log,
    });
    if (match.accepted) counts[arm] = (counts[arm] ?? 0) + 1;
  }
  return counts;
};

/** Pearson's statistic of counts against shares, two degrees of freedom: above 18.42 with probability 1e-4 when the shares are right. */
const chiSquare = (counts: readonly number[], shares: readonly number[]): number => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, i) => sum + (count - total * (shares[i] ?? 0)) ** 2 / (total * (shares[i] ?? 0)), 0);
};
const critical = 18.42;

describe('accepted records', () => {
  const candidate = [0.2, 0.3, 0.5];

  it('of a uniform log are all that the draw agrees with, in the candidate’s own shares', () => {
    const counts = accepted({ log: [1 / 3, 1 / 3, 1 / 3], candidate, acceptance: null, count: 60_000 });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(19_000);
    expect(chiSquare(counts, candidate)).toBeLessThan(critical);
  });

  it('of any other log are in the candidate’s shares too', () => {
    const counts = accepted({ log: [0.7, 0.25, 0.05], candidate, acceptance: null, count: 200_000 });
    expect(chiSquare(counts, candidate)).toBeLessThan(critical);
  });

  it('are in other shares where each agreement is accepted: what the constant is for', () => {
    const counts = accepted({ log: [0.7, 0.25, 0.05], candidate, acceptance: 1, count: 200_000 });
    expect(chiSquare(counts, candidate)).toBeGreaterThan(100 * critical);
  });

  it('are more with a larger constant, and count as capped below it', () => {
    const matching = createMatching({ seed: '1', acceptance: 0.2 });
    const record = { draw: 0.1, share: 0.5, probabilities: [0.8, 0.1, 0.1] };
    expect(matching.match({ ...record, propensity: 0.1 })).toEqual({ matched: true, accepted: true, capped: true });
    // Up to 0.5 x 0.2 / 0.8 = 0.125.
    expect(matching.match({ ...record, propensity: 0.8 })).toEqual({ matched: true, accepted: true, capped: false });
    expect(matching.match({ ...record, draw: 0.13, propensity: 0.8 })).toEqual({ matched: true, accepted: false, capped: false });
    expect(matching.match({ ...record, draw: 0.5, propensity: 0.8 })).toEqual({ matched: false, accepted: false, capped: false });
  });

  it('know the least probability of all candidates so far, zeros left out', () => {
    const matching = createMatching({ seed: '1', acceptance: null });
    const record = { draw: 0.05, share: 0.5, propensity: 0.5 };
    expect(matching.match({ ...record, probabilities: [0.5, 0.5, 0] })).toMatchObject({ accepted: true });
    expect(matching.match({ ...record, probabilities: [0.98, 0.02] })).toMatchObject({ accepted: false });
    expect(matching.match({ ...record, probabilities: [0.5, 0.5] })).toMatchObject({ accepted: false });
  });
});

describe('a draw', () => {
  it('is that of its seed and id alone, uniform from 0 to 1', () => {
    const { drawOf } = createMatching({ seed: '1', acceptance: null });
    expect(drawOf('x')).toBe(createMatching({ seed: '1', acceptance: 0.5 }).drawOf('x'));
    expect(drawOf('x')).not.toBe(createMatching({ seed: '2', acceptance: null }).drawOf('x'));
    const draws = Array.from({ length: 40_000 }, (_, i) => drawOf(String(i)));
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    // Kolmogorov-Smirnov: above 2.23 / sqrt(n) with probability 1e-4.
    const distance = Math.max(...draws.sort((a, b) => a - b).map((draw, i) => Math.abs(draw - (i + 0.5) / draws.length)));
    expect(distance).toBeLessThan(2.23 / Math.sqrt(draws.length));
  });

  it('picks the logged arm below its probability, and else one of the others in proportion', () => {
    const propensities = [0.2, 0.3, 0.5];
    expect([0, 0.29, 0.3, 0.49, 0.5, 0.999].map((draw) => drawnArm(arms, propensities, 'b', draw))).toEqual(['b', 'b', 'a', 'a', 'c', 'c']);
    expect([0, 0.3, 0.5].map((draw) => drawnArm(arms, propensities, 'not there', draw))).toEqual(['a', 'b', 'c']);
    expect(drawnArm([], [], 'a', 0.5)).toBeNull();
  });

  it('never picks an arm of probability 0', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
        fc.nat(5),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (parts, logged, draw) => {
          const total = parts.reduce((sum, part) => sum + part, 0);
          fc.pre(total > 0);
          const names = parts.map((_, i) => `arm-${i}`);
          const arm = drawnArm(
            names,
            parts.map((part) => part / total),
            `arm-${logged}`,
            draw,
          );
          expect(parts[names.indexOf(arm ?? '')]).toBeGreaterThan(0);
        },
      ),
      { seed: 5 },
    );
  });
});
