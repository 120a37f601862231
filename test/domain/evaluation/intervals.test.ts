import { describe, expect, it } from 'vitest';
import { bernsteinInterval, studentInterval } from '../../../src/domain/evaluation/bounds.ts';
import { allEstimators } from '../../../src/domain/evaluation/estimators.ts';
import { bettingInterval, intervalsOf, type IntervalKind, type IntervalOptions } from '../../../src/domain/evaluation/intervals.ts';
import { groupMoments } from '../../../src/domain/evaluation/intervals/group-moments.ts';
import { ofOwnClusters, openTally, type Tallied } from '../../../src/domain/evaluation/tally.ts';
import type { Sample } from '../../../src/domain/evaluation/sample.ts';
import { seededRandom } from '../../../src/domain/random.ts';
import { thompsonLog } from '../../support/thompson-log.ts';

const world = { means: [0.4, 0.7], candidate: [0.3, 0.7], records: 600, floor: 0.1 };
const largestWeight = 7;

/** With a model that expects a little too much. */
const modelled = ({ sample }: { readonly sample: Sample }): Sample => ({
  ...sample,
  predicted: sample.candidate.map((probability) => (probability === 0.3 ? 0.5 : 0.75)),
  expected: sample.candidate.map(() => 0.3 * 0.5 + 0.7 * 0.75),
});

const tallied = (...samples: readonly Sample[]): Tallied => talliedInto(16_384, samples);
const talliedInto = (mostGroups: number, samples: readonly Sample[]): Tallied => {
  const tally = openTally({ estimators: allEstimators, mostGroups });
  for (const sample of samples) tally.add(sample);
  return tally.finish()!;
};

const sample = modelled(thompsonLog('face', world));
const all = tallied(sample);
const options: IntervalOptions = { alpha: 0.05, seed: 'face', resamples: 400, known: { outcomes: { low: 0, high: 1 }, largestWeight } };

const found = (from: Tallied, name: string, kind: IntervalKind, with_ = options) =>
  intervalsOf(from, with_)
    .get(name)!
    .find((interval) => interval.kind === kind)!;

describe('all intervals of all estimates', () => {
  it('have a name and a guarantee, and hold the estimate', () => {
    const intervals = intervalsOf(all, options);
    expect([...intervals.keys()]).toEqual([...all.estimates.keys()]);
    for (const [name, kinds] of intervals) {
      expect(kinds.map(({ kind, guarantee }) => [kind, guarantee])).toEqual([
        ['bootstrap', 'asymptotic'],
        ['student', 'asymptotic'],
        ['bernstein', 'finite-sample'],
        ['asymptotic-sequence', 'anytime asymptotic'],
      ]);
      const { value } = all.estimates.get(name)!;
      for (const { interval } of kinds) {
        if (interval === null) continue;
        expect(interval.low).toBeLessThan(value);
        expect(interval.high).toBeGreaterThan(value);
      }
    }
    expect(bettingInterval({ low: 0.1, high: 0.2 })).toEqual({
      kind: 'betting',
      guarantee: 'anytime finite-sample',
      interval: { low: 0.1, high: 0.2 },
    });
  });

  it('bootstrap and Student agree on many records of moderate weight, for plain and normalised estimators, with a model and without', () => {
    for (const name of ['ipw', 'snipw', 'dr', 'sndr']) {
      const [bootstrap, student] = [found(all, name, 'bootstrap').interval!, found(all, name, 'student').interval!];
      const width = student.high - student.low;
      expect(Math.abs(bootstrap.low - student.low)).toBeLessThan(0.1 * width);
      expect(Math.abs(bootstrap.high - student.high)).toBeLessThan(0.1 * width);
    }
  });

  it("Student's is that of the influences where each record is a group, and counts conversations once", () => {
    for (const estimate of all.estimates.values()) {
      const { variance } = groupMoments(estimate, all);
      expect(variance).toBeCloseTo(estimate.influenceVariance, 10);
    }
    const { terms } = all.estimates.get('ipw')!;
    expect(found(all, 'ipw', 'student').interval!.low).toBeCloseTo(studentInterval(terms, 0.05).low, 12);
    // Each record five times in a row, as if from one conversation: as wide as without the copies.
    const copies = tallied(sample, sample, sample, sample, sample);
    for (const name of ['ipw', 'snipw', 'dr', 'sndr'])
      for (const kind of ['student', 'bootstrap'] as const) {
        const [one, five] = [found(all, name, kind).interval!, found(copies, name, kind).interval!];
        expect(five.low).toBeCloseTo(one.low, 10);
        expect(five.high).toBeCloseTo(one.high, 10);
      }
  });

  it("Student's is that of the records where these are known to stand alone, though they share groups", () => {
    const shared = talliedInto(100, [sample]);
    for (const [name, estimate] of all.estimates) {
      const variance = groupMoments(estimate, all).variance / (all.records - 1);
      const of = (from: Tallied) => {
        const { count, variance } = groupMoments(from.estimates.get(name)!, from);
        return variance / (count - 1);
      };
      // That of dm is 0: its model expects the same of every record.
      if (name === 'dm') continue;
      expect(of(ofOwnClusters(shared)) / variance).toBeCloseTo(1, 9);
      expect(Math.abs(of(shared) / variance - 1)).toBeGreaterThan(1e-4);
      expect(ofOwnClusters(all)).toBe(all);
    }
  });

  it("Bernstein's stands where the estimator is unbiased within known bounds", () => {
    const has = (name: string, with_ = options): boolean => found(all, name, 'bernstein', with_).interval !== null;
    expect(found(all, 'ipw', 'bernstein').interval).toEqual(bernsteinInterval(all.estimates.get('ipw')!.terms, 0.05, 7));
    expect(found(all, 'dr', 'bernstein').interval).toEqual(bernsteinInterval(all.estimates.get('dr')!.terms, 0.05, 15));
    // No weight is above 7: clipping at 10 changes nothing.
    expect(has('ipw_clip10')).toBe(true);
    expect(has('switch-dr_10')).toBe(true);
    for (const name of ['snipw', 'sndr', 'dm', 'ipw_clip5', 'switch-dr_5', 'dr-os_10', 'sg-ipw_0.1']) expect(has(name)).toBe(false);
    expect(has('ipw', { ...options, known: null })).toBe(false);
  });

  it('are null where nothing says how far values spread', () => {
    const alike = tallied({ ...sample, outcome: sample.outcome.map(() => 1), candidate: sample.logged });
    for (const kind of ['bootstrap', 'student', 'asymptotic-sequence'] as const) {
      expect(found(alike, 'ipw', kind).interval).toBeNull();
      // The model expects the same of every record: 0.675, but for rounding.
      expect(found(all, 'dm', kind).interval).toBeNull();
    }
  });
});

describe('of 400 logs of a Thompson sampler', () => {
  /** Were the true rate of misses 5 %, 9 or fewer of 400 would have a probability of 0.4 %. */
  it("Bernstein's interval covers", () => {
    let misses = 0;
    for (let run = 0; run < 400; run++) {
      const log = thompsonLog(`bernstein ${run}`, { ...world, floor: 0.02 });
      const tally = openTally({ estimators: allEstimators.filter(({ name }) => name === 'ipw') });
      tally.add(log.sample);
      const known = { outcomes: { low: 0, high: 1 }, largestWeight: 35 };
      const { low, high } = found(tally.finish()!, 'ipw', 'bernstein', { ...options, resamples: 1, known }).interval!;
      if (log.value < low || log.value > high) misses++;
    }
    expect(misses).toBeLessThanOrEqual(9);
  });

  it('conversations whose records all end alike are covered by groups, and not by records', () => {
    const [byGroup, byRecord] = [false, true].map((apart) => {
      let misses = 0;
      for (let run = 0; run < 400; run++) if (!covers(conversations(`conversations ${run}`, apart))) misses++;
      return misses;
    });
    // True rates about 5 % and 38 % (1.96 / sqrt(5) standard errors): 5 % shows more than 40 of 400 once in 10,000 times.
    expect(byGroup).toBeLessThanOrEqual(40);
    expect(byRecord).toBeGreaterThan(40);
  });

  /** 200 conversations of five records, on policy; half of the conversations end well. */
  const conversations = (seed: string, apart: boolean): Sample => {
    const random = seededRandom(seed);
    const log = thompsonLog(seed, { means: [0.5, 0.5], candidate: [0.5, 0.5], records: 1_000, floor: 0.5 });
    const ends = Array.from({ length: 200 }, () => (random() < 0.5 ? 1 : 0));
    return {
      ...log.sample,
      outcome: log.sample.outcome.map((_, i) => ends[Math.floor(i / 5)]!),
      cluster: log.sample.cluster.map((_, i) => (apart ? i : Math.floor(i / 5))),
    };
  };
  const covers = (log: Sample): boolean => {
    const tally = openTally({ estimators: allEstimators.filter(({ name }) => name === 'ipw') });
    tally.add(log);
    const { low, high } = found(tally.finish()!, 'ipw', 'student', { ...options, resamples: 1 }).interval!;
    return low <= 0.5 && 0.5 <= high;
  };
});
