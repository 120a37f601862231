import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBettingSequence, type BettingOptions } from '../../../../src/domain/evaluation/intervals/betting.ts';
import type { Interval } from '../../../../src/domain/evaluation/intervals/interval.ts';
import type { Sample } from '../../../../src/domain/evaluation/sample.ts';
import { seededRandom } from '../../../../src/domain/random.ts';
import { InvariantError } from '../../../../src/errors.ts';
import { emptySample, partOf } from '../../../support/thompson-log.ts';

type Row = {
  readonly outcome: number;
  readonly logged: number;
  readonly candidate: number;
  readonly unsupported?: number;
  readonly limit?: number;
};

const sampleOf = (rows: readonly Row[]): Sample => {
  const sample = emptySample(rows.length);
  for (const [i, { outcome, logged, candidate, unsupported = 0, limit = Infinity }] of rows.entries()) {
    sample.outcome[i] = outcome;
    sample.logged[i] = logged;
    sample.candidate[i] = candidate;
    sample.unsupported[i] = unsupported;
    sample.weightLimit[i] = limit;
  }
  return sample;
};

const intervalOf = (sample: Sample, options: Partial<BettingOptions> = {}): Interval | null => {
  const sequence = openBettingSequence({ alpha: 0.05, ...options });
  sequence.add(sample);
  return sequence.interval();
};

/** Two arms, chosen with 0.8 and 0.2 by the logger, 0.3 and 0.7 by the candidate. */
const twoArms = (seed: string, records: number, chances: readonly [number, number]): Sample => {
  const random = seededRandom(seed);
  return sampleOf(
    Array.from({ length: records }, () => {
      const first = random() < 0.8;
      return { outcome: random() < chances[first ? 0 : 1] ? 1 : 0, logged: first ? 0.8 : 0.2, candidate: first ? 0.3 : 0.7 };
    }),
  );
};

/** The wealth of the bets against v, factor by factor as 1 + b (Z - v); the formula written down a second time. */
const wealthAgainst = (
  v: number,
  { size, outcome, logged, candidate, unsupported, weightLimit }: Sample,
  largest: number,
  mirrored: boolean,
): number => {
  const grid = Array.from({ length: 21 }, (_, j) => 2 ** (6 - j));
  const prior = grid.map((c) => 4 / (4 + Math.log(c / 0.05) ** 2));
  const wealth = grid.map(() => 1);
  let [covariance, variance] = [0.5, 1];
  for (let i = 0; i < size; i++) {
    const w = candidate[i]! / logged[i]!;
    const r = mirrored ? 1 - outcome[i]! : outcome[i]!;
    const best = Math.min(1, Math.max(0, covariance / variance));
    grid.forEach((c, j) => {
      const x = c * Math.min(largest, weightLimit[i]!);
      // Near the root below 1 of x k^2 - (1 + x) k + best = 0, which is where the derivative of the mean growth is 0.
      const [sum, part] = [1 + x, x * best];
      const root = best / (sum - part / (sum - part / (sum - part / sum)));
      const k = x === Infinity ? 0 : x < 0.5 ? best * (1 - x * (1 - best)) : Math.min(0.8 / x, root);
      wealth[j]! *= 1 + (c / (1 + c * v)) * (w * (r - k) + k * (1 - unsupported[i]!) - v);
    });
    covariance += (w - 1) * w * r;
    variance += (w - 1) ** 2;
  }
  return grid.reduce((sum, _, j) => sum + prior[j]! * wealth[j]!, 0) / prior.reduce((sum, p) => sum + p, 0);
};

describe('the interval by betting', () => {
  it.each([
    ['unbounded weights', 300, Infinity, () => Infinity],
    ['a largest weight', 300, 3.5, () => Infinity],
    ['a limit of each record', 300, Infinity, (i: number) => 3.5 + (i % 7) ** 2],
    ['both, some unknown', 300, 20, (i: number) => (i % 2 === 0 ? 3.5 : Infinity)],
    // Large bets have been given up by then, and are not missed.
    ['many records', 30_000, 3.5, () => Infinity],
  ])('ends where the wealth of either side is 2 / alpha, with %s', (_which, records, largestWeight, limitOf) => {
    const sample = {
      ...twoArms('formula', records, [0.6, 0.3]),
      weightLimit: Float64Array.from({ length: records }, (_, i) => limitOf(i)),
    };
    const interval = intervalOf(sample, { largestWeight });
    expect(interval).not.toBeNull();
    expect(wealthAgainst(interval!.low, sample, largestWeight, false)).toBeCloseTo(40, 6);
    expect(wealthAgainst(1 - interval!.high, sample, largestWeight, true)).toBeCloseTo(40, 6);
  });

  it('is everything before the first record, and what Ville allows of records that are all good', () => {
    expect(openBettingSequence({ alpha: 0.05 }).interval()).toEqual({ low: 0, high: 1 });
    const good = sampleOf(Array.from({ length: 1_000 }, () => ({ outcome: 1, logged: 0.5, candidate: 0.5 })));
    // A single bet of everything would leave 40^(-1/1000) = 0.99632; the mixture pays for its other bets.
    expect(intervalOf(good)!.low).toBeGreaterThan(0.99);
    expect(intervalOf(good)!.low).toBeLessThan(40 ** (-1 / 1_000));
    expect(intervalOf(good)!.high).toBe(1);
  });

  it('does not depend on how samples cut the records', () => {
    const whole = twoArms('cut', 200, [0.5, 0.7]);
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 5 }), fc.boolean(), (cuts, constantValue) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), 200];
        const sequence = openBettingSequence({ alpha: 0.05, constantValue });
        edges.slice(1).forEach((edge, i) => {
          sequence.add(partOf(whole, edges[i]!, edge));
        });
        expect(sequence.interval()).toEqual(intervalOf(whole, { constantValue }));
      }),
      { seed: 5 },
    );
  });

  it('is mirrored when outcomes are, and moves with their range', () => {
    const sample = twoArms('mirror', 500, [0.5, 0.7]);
    const { low, high } = intervalOf(sample, { largestWeight: 3.5 })!;
    const mirrored = intervalOf({ ...sample, outcome: sample.outcome.map((r) => 1 - r) }, { largestWeight: 3.5 })!;
    expect(mirrored.low).toBeCloseTo(1 - high, 12);
    expect(mirrored.high).toBeCloseTo(1 - low, 12);
    const scaled = { ...sample, outcome: sample.outcome.map((r) => 10 * r - 4) };
    const moved = intervalOf(scaled, { largestWeight: 3.5, outcomes: { low: -4, high: 6 } })!;
    expect(moved.low).toBeCloseTo(10 * low - 4, 10);
    expect(moved.high).toBeCloseTo(10 * high - 4, 10);
  });

  it('only ever narrows with a constant value, and is never wider than without', () => {
    const sample = twoArms('narrow', 600, [0.4, 0.6]);
    const sequence = openBettingSequence({ alpha: 0.05, constantValue: true });
    let before = sequence.interval()!;
    for (let from = 0; from < 600; from += 20) {
      sequence.add(partOf(sample, from, from + 20));
      const after = sequence.interval()!;
      expect(after.low).toBeGreaterThanOrEqual(before.low);
      expect(after.high).toBeLessThanOrEqual(before.high);
      before = after;
    }
    const last = intervalOf(sample)!;
    expect(before.high - before.low).toBeLessThanOrEqual(last.high - last.low);
  });

  it('is narrower where the largest weight is known', () => {
    const sample = twoArms('known', 5_000, [0.9, 0.95]);
    const [free, bounded] = [intervalOf(sample)!, intervalOf(sample, { largestWeight: 3.5 })!];
    expect(bounded.high - bounded.low).toBeLessThan(0.7 * (free.high - free.low));
  });
});

describe('actions that the logger could not choose', () => {
  /** The candidate gives half of its choices to one; the others yield 0.8. */
  const log = (unsupported: number): Sample => {
    const random = seededRandom('unsupported');
    return sampleOf(
      Array.from({ length: 20_000 }, () => {
        const first = random() < 0.9;
        return { outcome: random() < 0.8 ? 1 : 0, logged: first ? 0.9 : 0.1, candidate: 0.25, unsupported };
      }),
    );
  };

  it.each([[2.5], [Infinity]])('may yield the worst or the best, and the interval holds both (largest weight %d)', (largestWeight) => {
    const { low, high } = intervalOf(log(0.5), { largestWeight })!;
    expect(low).toBeLessThan(0.4);
    expect(low).toBeGreaterThan(0.35);
    expect(high).toBeGreaterThan(0.9);
    expect(high).toBeLessThan(0.95);
  });

  it('make the lower end too high if nobody says so, and k leans on weights whose mean is 1', () => {
    expect(intervalOf(log(0), { largestWeight: 2.5 })!.low).toBeGreaterThan(0.4);
  });
});

describe('what cannot be', () => {
  it('weights whose mean is not 1 leave no value', () => {
    const wrong = sampleOf(Array.from({ length: 500 }, (_, i) => ({ outcome: i % 2, logged: 0.25, candidate: 0.5 })));
    expect(intervalOf(wrong)).toBeNull();
  });

  it('the smallest probability that there is keeps the interval finite', () => {
    const tiny = sampleOf(Array.from({ length: 20 }, () => ({ outcome: 1, logged: 5e-324, candidate: 1 })));
    expect(intervalOf(tiny)).toEqual({ low: expect.closeTo(1, 12) as number, high: 1 });
  });

  const fine: Row = { outcome: 1, logged: 0.5, candidate: 0.5 };
  it.each([
    ['an outcome above the range', { ...fine, outcome: 1.1 }],
    ['an outcome below it', { ...fine, outcome: -0.1 }],
    ['an outcome that is missing', { ...fine, outcome: NaN }],
    ['a logged probability of 0', { ...fine, logged: 0 }],
    ['one above 1', { ...fine, logged: 1.5 }],
    ['a negative probability', { ...fine, candidate: -0.1 }],
    ['an unsupported probability above 1', { ...fine, unsupported: 1.1 }],
    ['a weight above the largest', { ...fine, logged: 0.1 }],
  ])('%s is refused, with the record', (_what, row) => {
    const sequence = openBettingSequence({ alpha: 0.05, largestWeight: 4 });
    expect(() => {
      sequence.add(sampleOf([fine, row]));
    }).toThrow(InvariantError);
    expect(() => {
      openBettingSequence({ alpha: 0.05, largestWeight: 4 }).add(sampleOf([fine, row]));
    }).toThrow(/^record 1: expected an outcome within the range/);
  });

  it.each([
    { alpha: 0 },
    { alpha: 1 },
    { largestWeight: 0.5 },
    { outcomes: { low: 1, high: 1 } },
    { outcomes: { low: 0, high: Infinity } },
  ])('options %j are refused', (options) => {
    expect(() => openBettingSequence({ alpha: 0.05, ...options })).toThrow(InvariantError);
  });
});
