import { describe, expect, it } from 'vitest';
import { openDiagnostics, type Diagnostics } from '../../../src/domain/evaluation/diagnostics.ts';
import type { Sample } from '../../../src/domain/evaluation/sample.ts';
import { loggedSample, part } from '../support/logged-sample.ts';

const diagnose = (...samples: readonly Sample[]): Diagnostics => {
  const tally = openDiagnostics();
  for (const sample of samples) tally.add(sample);
  return tally.finish()!;
};

/** Weights 0, 1, 2, 5. */
const four: Sample = {
  ...loggedSample('four', 4),
  logged: Float64Array.of(0.2, 0.5, 0.25, 0.1),
  candidate: Float64Array.of(0, 0.5, 0.5, 0.5),
  unsupported: Float64Array.of(0.4, 0, 0, 0),
};

describe('diagnostics', () => {
  it('of four records, by hand', () => {
    const { histogram, weightErrors, ...rest } = diagnose(part(four, 0, 1), part(four, 1, 4));
    expect(rest).toEqual({
      records: 4,
      effectiveSize: 64 / 30,
      meanWeight: 2,
      meanSquareWeight: 7.5,
      mostWeight: 5,
      weightlessShare: 0.25,
      unsupported: 0.1,
      leastLogged: 0.1,
    });
    // Weight + unsupported - 1: -0.6, 0, 1, 4. Mean 1.1, sum of squared distances 12.52, three degrees of freedom.
    expect(weightErrors).toBeCloseTo(1.1 / Math.sqrt(12.52 / 3 / 4), 12);
    expect(histogram.zero).toBe(1);
    expect(histogram.bins.filter(({ count }) => count > 0)).toEqual([
      { from: 1, to: 10 ** 0.25, count: 1 },
      { from: 10 ** 0.25, to: 10 ** 0.5, count: 1 },
      { from: 10 ** 0.5, to: 10 ** 0.75, count: 1 },
    ]);
  });

  it('count every weight in one bin, however small or large', () => {
    const weights = [0, 1e-300, 1e-5, 9.9e-5, 1e-4, 0.5, 999_999, 1e6, 1e12];
    const size = weights.length;
    const { histogram, mostWeight } = diagnose({
      ...loggedSample('bins', size),
      logged: new Float64Array(size).fill(1),
      candidate: Float64Array.from(weights),
    });
    expect(histogram.bins).toHaveLength(40);
    expect([histogram.zero, histogram.bins[0]!.count, histogram.bins.at(-1)!.count]).toEqual([1, 4, 3]);
    expect(histogram.bins.reduce((sum, { count }) => sum + count, 0)).toBe(8);
    expect([histogram.bins[0]!.from, histogram.bins.at(-1)!.to, mostWeight]).toEqual([0, Infinity, 1e12]);
  });

  it('are at ease where the logged probabilities are true, and see where they are not', () => {
    // Fixed seed. Above 4 standard errors for true probabilities: once in 10,000.
    const log = loggedSample('truth', 20_000);
    expect(diagnose(log).weightErrors).toBeLessThan(4);
    expect(diagnose({ ...log, logged: log.logged.map((p) => Math.min(1, 1.1 * p)) }).weightErrors).toBeGreaterThan(4);
  });

  it('know a candidate without support from false probabilities', () => {
    // The logger never takes action 0 or 1, the candidate does half of the time.
    const size = 1_000;
    const log: Sample = {
      ...loggedSample('half', size),
      logged: new Float64Array(size).fill(0.5),
      candidate: Float64Array.from({ length: size }, (_, i) => (i % 2 === 0 ? 0.4 : 0.1)),
      unsupported: new Float64Array(size).fill(0.5),
    };
    expect(diagnose(log)).toMatchObject({ meanWeight: 0.5, unsupported: 0.5 });
    expect(diagnose(log).weightErrors).toBeLessThan(1e-9);
    expect(diagnose({ ...log, unsupported: new Float64Array(size) }).weightErrors).toBeGreaterThan(30);
  });

  it('know an arm that was seldom drawn, and was not, from false probabilities', () => {
    // The candidate always takes an arm of probability 0.005, which 200 records need not hold: e^2 / p - 1 = 199.
    const size = 200;
    const log: Sample = { ...loggedSample('rare', size), logged: new Float64Array(size).fill(0.995), candidate: new Float64Array(size) };
    const tally = openDiagnostics();
    tally.add(log, new Float64Array(size).fill(199));
    expect(tally.finish()?.weightErrors).toBeCloseTo(1 / Math.sqrt(199 / 200), 12);
    expect(diagnose(log).weightErrors).toBe(Infinity);
  });

  it('of a candidate that is the logger, of one that never meets it, of nothing', () => {
    const log = loggedSample('same', 100);
    expect(diagnose({ ...log, candidate: log.logged })).toMatchObject({
      effectiveSize: 100,
      meanWeight: 1,
      mostWeight: 1,
      weightErrors: 0,
    });
    const never = diagnose({ ...log, candidate: new Float64Array(100) });
    expect(never).toMatchObject({ effectiveSize: 0, meanWeight: 0, weightlessShare: 1, weightErrors: Infinity });
    expect(openDiagnostics().finish()).toBeNull();
  });
});
