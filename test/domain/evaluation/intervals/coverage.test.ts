import { describe, expect, it } from 'vitest';
import { studentQuantile } from '../../../../src/domain/comparison/student-t.ts';
import { asymptoticSequence } from '../../../../src/domain/evaluation/intervals/asymptotic.ts';
import { openBettingSequence, type BettingOptions } from '../../../../src/domain/evaluation/intervals/betting.ts';
import type { Interval } from '../../../../src/domain/evaluation/intervals/interval.ts';
import type { Sample } from '../../../../src/domain/evaluation/sample.ts';
import { partOf, thompsonLog, type ThompsonLog } from '../../../support/thompson-log.ts';

/**
 * 400 seeded logs each. Were the true rate of misses 5 %, 20 of them would be expected; 9 or fewer have a probability of 0.4 %, more than 31 one of 0.5 %. So each test of a valid interval is passed by one that misses 5 % in
 * one of 250 cases, and each test of a wrong interval in one of 200.
 */
const runs = 400;
const few = 9;
const tooMany = 31;
const alpha = 0.05;

const worlds = {
  'two arms': { means: [0.4, 0.6], candidate: [0.5, 0.5], records: 1_000 },
  'three arms': { means: [0.3, 0.5, 0.6], candidate: [0.6, 0.2, 0.2], records: 1_000 },
  'four arms': { means: [0.95, 0.8, 0.85, 0.9], candidate: [0.1, 0.1, 0.7, 0.1], records: 1_000 },
} as const;
/** The logger has a floor of 0.02. */
const largestWeight = ({ candidate }: { readonly candidate: readonly number[] }): number => Math.max(...candidate) / 0.02;

const logs = Object.entries(worlds).map(
  ([name, world]) => [name, world, Array.from({ length: runs }, (_, run) => thompsonLog(`${name} ${run}`, world))] as const,
);

type Method = (log: ThompsonLog) => readonly (Interval | null)[];

const missesOf = (all: readonly ThompsonLog[], method: Method): number =>
  all.filter((log) => method(log).some((interval) => interval === null || log.value < interval.low || log.value > interval.high)).length;

type Limits = (sample: Sample) => Sample;
const unknown: Limits = (sample) => ({ ...sample, weightLimit: new Float64Array(sample.size).fill(Infinity) });
/** Of each record, from the probabilities of all arms. */
const ofRecords: Limits = (sample) => sample;
/** Wrong: what was drawn. */
const ofDraws: Limits = (sample) => ({ ...sample, weightLimit: sample.candidate.map((e, i) => e / sample.logged[i]!) });

const meanWidth = (all: readonly ThompsonLog[], method: Method): number =>
  all.reduce((sum, log) => {
    const [interval] = method(log);
    return sum + (interval!.high - interval!.low) / all.length;
  }, 0);

const betting =
  (options: Omit<BettingOptions, 'alpha'>, limits: Limits = unknown): Method =>
  ({ sample }) => {
    const sequence = openBettingSequence({ alpha, ...options });
    sequence.add(limits(sample));
    return [sequence.interval()];
  };

/** Looked at after each twentieth record of the first 400. */
const monitored =
  (options: Omit<BettingOptions, 'alpha'>, limits: Limits = unknown): Method =>
  ({ sample }) => {
    const sequence = openBettingSequence({ alpha, ...options });
    return Array.from({ length: 20 }, (_, look) => {
      sequence.add(partOf(limits(sample), 20 * look, 20 * look + 20));
      return sequence.interval();
    });
  };

/** After each record from the 30th on, from moments of the weighted outcomes. */
const atEveryRecord =
  (interval: (moments: { readonly count: number; readonly mean: number; readonly variance: number }) => Interval | null): Method =>
  ({ sample }) => {
    const intervals: Interval[] = [];
    let [mean, squares] = [0, 0];
    for (let i = 0; i < sample.size; i++) {
      const term = (sample.candidate[i]! / sample.logged[i]!) * sample.outcome[i]!;
      const step = term - mean;
      mean += step / (i + 1);
      squares += step * (term - mean);
      const found = i < 29 ? null : interval({ count: i + 1, mean, variance: squares / i });
      if (found !== null) intervals.push(found);
    }
    return intervals;
  };

/** Whether bets of one kind, 1 + b (w r - v), where b follows the mean and the variance of the past, leave v; or v is lost, because b is doubled, what is wrong, where the present outcome makes it pay. */
const leaves = ({ sample }: ThompsonLog, v: number, looks: boolean): boolean => {
  let [count, sum, squares, wealth, most] = [1, v, 1, 1, 1];
  for (let i = 0; i < sample.size; i++) {
    const gain = (sample.candidate[i]! / sample.logged[i]!) * sample.outcome[i]! - v;
    const bet = Math.min(0.4 / v, Math.max(0, (sum / count - v) / (squares / count)));
    wealth *= 1 + bet * (looks && gain > 0 ? 2 : 1) * gain;
    count++;
    sum += gain + v;
    squares += gain ** 2;
    most = Math.max(most, wealth);
  }
  return most < 1 / alpha;
};

describe.each(logs)('a Thompson sampler of %s, that learns while it logs', (_name, world, all) => {
  it.each([
    ['after 1,000 records', betting({})],
    ['with a largest weight', betting({ largestWeight: largestWeight(world) })],
    ['with the largest weight of each record', betting({}, ofRecords)],
    ['with a constant value, all times together', betting({ constantValue: true })],
    ['with both', betting({ constantValue: true, largestWeight: largestWeight(world) })],
    ['looked at all the time', monitored({})],
    ['looked at all the time, with a largest weight', monitored({ largestWeight: largestWeight(world) })],
    ['looked at all the time, with the largest weight of each record', monitored({}, ofRecords)],
  ])('betting covers %s', (_when, method) => {
    expect(missesOf(all, method)).toBeLessThanOrEqual(few);
  });

  it('the test sees that Student at every look does not cover', () => {
    const quantiles = Array.from({ length: world.records + 1 }, (_, count) => (count < 30 ? NaN : studentQuantile(alpha, count - 1)));
    const student = atEveryRecord(({ count, mean, variance }) => {
      const width = quantiles[count]! * Math.sqrt(variance / count);
      return { low: mean - width, high: mean + width };
    });
    expect(missesOf(all, student)).toBeGreaterThan(tooMany);
  });

  it('the test sees that betting with a limit that knows what was drawn does not cover', () => {
    expect(missesOf(all, betting({}, ofDraws))).toBeGreaterThan(tooMany);
  });

  it('is narrower with the largest weight of each record', () => {
    expect(meanWidth(all, betting({}, ofRecords))).toBeLessThan(0.95 * meanWidth(all, betting({})));
  });

  it('the test sees that bets which look at the present outcome do not cover', () => {
    const missed = (looks: boolean) => all.filter((log) => !leaves(log, log.value, looks)).length;
    expect(missed(false)).toBeLessThanOrEqual(tooMany);
    expect(missed(true)).toBeGreaterThan(tooMany);
  });
});

describe('a candidate that does what the logger has come to do', () => {
  const world = { means: [0.9, 0.95], candidate: [0, 1], records: 5_000 };
  const all = Array.from({ length: 20 }, (_, run) => thompsonLog(`agreeing ${run}`, world));

  it('has records of small weight, and that makes its interval narrower than the largest weight of all does', () => {
    expect(meanWidth(all, betting({}, ofRecords))).toBeLessThan(0.9 * meanWidth(all, betting({ largestWeight: largestWeight(world) })));
  });
});

describe('contexts that change for the better in the middle of the log', () => {
  const world = {
    means: [
      [0.1, 0.2],
      [0.8, 0.9],
    ] as const,
    candidate: [0.8, 0.2],
    records: 1_000,
  };
  const all = Array.from({ length: runs }, (_, run) => thompsonLog(`changing ${run}`, world));

  it('betting covers the mean value of the records so far', () => {
    expect(missesOf(all, betting({}))).toBeLessThanOrEqual(few);
    expect(missesOf(all, betting({ largestWeight: largestWeight(world) }))).toBeLessThanOrEqual(few);
    expect(missesOf(all, betting({}, ofRecords))).toBeLessThanOrEqual(few);
  });

  it('the test sees that it does not, where the value was said to be constant', () => {
    expect(missesOf(all, betting({ constantValue: true }))).toBeGreaterThan(tooMany);
  });
});

describe('the asymptotic sequence, at every look from the 30th record on', () => {
  const asymptotic = atEveryRecord((moments) => asymptoticSequence(moments, { alpha }));

  it('covers where no action is rare', () => {
    const world = { means: [0.5, 0.55], candidate: [0.5, 0.5], records: 1_000, floor: 0.2 };
    const all = Array.from({ length: runs }, (_, run) => thompsonLog(`even ${run}`, world));
    expect(missesOf(all, asymptotic)).toBeLessThanOrEqual(few);
  });

  it('does not where the logger has learnt to avoid what the candidate does: 30 records are not many then', () => {
    for (const [, , all] of logs) expect(missesOf(all, asymptotic)).toBeGreaterThan(tooMany);
  });
});
