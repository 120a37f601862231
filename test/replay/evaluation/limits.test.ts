import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/domain/random.ts';
import { distributionCandidate, type Candidate } from '../../../src/replay/evaluation/candidate.ts';
import type { CandidateReport, EvaluationReport, QuantityName } from '../../../src/replay/evaluation/report.ts';
import { openDrawn, type Drawn } from '../../../src/replay/evaluation/drawn.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { evaluated } from '../support/evaluated.ts';
import { madeUpLog } from '../support/made-up-log.ts';

/** Logs that do not hold what a figure would need, each in a way that no single number shows: the report must not be more certain than the log. */
const fixed = (shares: Readonly<Record<string, number>>): Candidate =>
  distributionCandidate({
    name: 'candidate',
    file: null,
    arms: Object.keys(shares),
    probabilities: (_slot, of) => of.map((arm) => shares[arm] ?? 0),
  });
/** Names its own arms, also those that the log does not. */
const naming = (shares: Readonly<Record<string, number>>, accepted?: (i: number) => boolean): Candidate => ({
  ...fixed(shares),
  ...(accepted === undefined ? {} : { method: { name: 'rejection-replay', why: 'in a test' } }),
  weigh: (decisions) =>
    decisions.map((_, i) => ({
      arms: Object.keys(shares),
      probabilities: Object.values(shares),
      ...(accepted === undefined ? {} : { accepted: accepted(i) }),
    })),
});

const drawnIn = (log: readonly LoggedDecision[]): Drawn => {
  const drawn = openDrawn();
  log.forEach(drawn.add);
  return drawn;
};

const candidateIn = ({ candidates }: EvaluationReport): CandidateReport => {
  const [first] = candidates;
  if (first === undefined) throw new Error('no candidate in the report');
  return first;
};
const quantityIn = (report: EvaluationReport, name: QuantityName) => {
  const found = candidateIn(report).quantities.find(({ quantity }) => quantity === name);
  const recommended = found?.estimates.find(({ estimator }) => estimator === found.recommended);
  if (found === undefined || recommended === undefined) throw new Error(`no ${name} in the report`);
  const interval = (method: string) => {
    const one = recommended.intervals.find((given) => given.method === method);
    return { low: one?.low ?? null, high: one?.high ?? null };
  };
  return { ...found, ...recommended, interval };
};
const codes = (report: EvaluationReport) => [...report.warnings, ...candidateIn(report).warnings].map(({ code }) => code);
const succeeding = (decision: LoggedDecision, success: number): LoggedDecision => ({
  ...decision,
  outcome: decision.outcome && { ...decision.outcome, parts: { ...decision.outcome.parts, success } },
});

describe('an evaluation', () => {
  test('refuses where nothing came of what the candidate would have chosen, though it is little of the log', async () => {
    const random = seededRandom('censored');
    const log = madeUpLog({
      size: 5_000,
      seed: 'censored',
      logger: () => [0.8, 0.1, 0.1],
      // Half of the failures of arm c never end: those that are left look better than they are.
      change: (one) => (one.arm === 'c' && one.outcome?.parts.success === 0 && random() < 0.5 ? { ...one, outcome: null } : one),
    });
    const report = await evaluated(log, [fixed({ a: 0.1, b: 0.1, c: 0.8 })]);
    const { verdict, diagnostics } = candidateIn(report);
    expect(report.counts.censored / log.length).toBeLessThan(0.03);
    // .8 of arm c, of which .35 fail, half of them without an end: .14.
    expect(diagnostics.censored).toBeGreaterThan(0.1);
    expect(verdict.kind).toBe('refused');
    expect(verdict.refusals.map(({ what }) => what).join()).toMatch(
      /nothing came of 1\d(\.\d+)? % of what the candidate would have chosen/,
    );
    expect(codes(report)).toContain('censored_choices');
    expect(codes(await evaluated(log, [fixed({ a: 0.8, b: 0.1, c: 0.1 })]))).not.toContain('censored_choices');
  });

  test('says when records do not come in the order of time, and when an estimate lies outside its interval', async () => {
    const log = madeUpLog({
      size: 6_000,
      seed: 'order',
      logger: () => [1 / 3, 1 / 3, 1 / 3],
      change: (one) => succeeding(one, one.arm === 'c' ? 0 : 1),
    });
    expect(codes(await evaluated(log, [fixed({ c: 1 })]))).not.toContain('out_of_order');
    const sorted = log.toSorted((one, other) => one.arm.localeCompare(other.arm));
    const report = await evaluated(sorted, [fixed({ c: 1 })]);
    expect(codes(report)).toEqual(expect.arrayContaining(['out_of_order', 'estimate_outside_interval']));
    expect(candidateIn(report).verdict.sentence).toContain('lies outside of its interval, which alone is to be trusted');
    const { settings } = report;
    const crossed = await evaluated(sorted, [fixed({ c: 1 })], { settings: { ...settings, rewardModel: 'cross-fitted' } });
    expect(codes(crossed)).not.toContain('estimate_outside_interval');
    expect(quantityIn(crossed, 'reward').value).toBeCloseTo(0, 2);
  });

  test('counts very long conversations as the few that they are', async () => {
    // One conversation has 900 of 2,000 records, the others one each: 1,101 conversations that weigh as much as 5.
    const log = madeUpLog({
      size: 2_000,
      seed: 'giant',
      logger: () => [1 / 3, 1 / 3, 1 / 3],
      change: (one, i) => succeeding(i < 900 ? { ...one, cluster: 'giant' } : one, i < 900 && one.arm === 'c' ? 1 : 0.5),
    });
    const report = await evaluated(log, [fixed({ c: 1 })], { largestWeight: 3 });
    expect(report.counts.clusters).toBe(1_101);
    expect(candidateIn(report).verdict.refusals.map(({ what }) => what)).toEqual([
      expect.stringMatching(/1,101 conversations, which count as 4\.9, as a few are very long, fewer than the 30/),
    ]);
    expect(codes(report)).toContain('few_conversations');
  });

  test('claims nothing of the cost of what was never logged, and no more of the reward than it knows', async () => {
    const log = madeUpLog({ size: 4_000, seed: 'unsupported', logger: () => [0.4, 0.3, 0.3] });
    const [whole, part] = [
      await evaluated(log, [naming({ a: 0.5, c: 0.5 })]),
      await evaluated(log, [naming({ a: 0.49, c: 0.49, d: 0.02 })]),
    ];
    expect(candidateIn(part).diagnostics.unsupported).toBeCloseTo(0.02, 9);
    for (const name of ['costUsd', 'latencyMs'] as const) {
      expect(quantityIn(whole, name).interval('student').low).not.toBeNull();
      const { standardError, interval, difference } = quantityIn(part, name);
      expect(standardError).toBeNull();
      expect([interval('student'), interval('asymptotic-sequence'), interval('bootstrap')]).toEqual(
        Array.from({ length: 3 }, () => ({ low: null, high: null })),
      );
      expect([difference.p, ...difference.intervals.map(({ low }) => low)]).toEqual([null, ...difference.intervals.map(() => null)]);
    }
    const width = (report: EvaluationReport, method: string) => {
      const { low, high } = quantityIn(report, 'reward').interval(method);
      return (high ?? NaN) - (low ?? NaN);
    };
    expect(width(part, 'student') - width(whole, 'student')).toBeGreaterThan(0.035);
    expect(codes(part)).toContain('unsupported');
  });

  test('by rejection replay does not pass over what was never logged', async () => {
    const log = madeUpLog({ size: 2_000, seed: 'rejection', logger: () => [0.5, 0.5, 0] });
    const report = await evaluated(log, [naming({ a: 0.24, b: 0.24, d: 0.52 }, (i) => i % 4 === 0)]);
    expect(candidateIn(report).diagnostics.unsupported).toBeCloseTo(0.52, 9);
    expect(candidateIn(report).verdict.kind).toBe('refused');
    expect(codes(report)).toContain('unsupported');
  });

  test('knows an arm that no record has, also where records name their own arm alone', async () => {
    const log = madeUpLog({ size: 2_000, seed: 'unnamed', logger: () => [0.4, 0.3, 0.3], change: (one) => ({ ...one, candidates: null }) });
    const candidate = naming({ a: 0.48, b: 0.48, d: 0.04 });
    expect(candidateIn(await evaluated(log, [candidate])).diagnostics.unsupported).toBe(0);
    const report = await evaluated(log, [candidate], { drawn: drawnIn(log) });
    expect(candidateIn(report).diagnostics.unsupported).toBeCloseTo(0.04, 9);
    expect(codes(report)).toContain('unsupported');
  });

  test('knows an arm that one slot never had, though another did', async () => {
    const log = madeUpLog({
      size: 2_000,
      seed: 'slots',
      logger: () => [0.4, 0.3, 0.3],
      change: (one, i) => ({
        ...one,
        candidates: null,
        arm: i % 2 === 0 && one.arm === 'c' ? 'a' : one.arm,
        context: { kind: 'slot', slot: i % 2 },
      }),
    });
    const report = await evaluated(log, [fixed({ a: 0.4, b: 0.3, c: 0.3 })], { drawn: drawnIn(log) });
    expect(candidateIn(report).diagnostics.unsupported).toBeCloseTo(0.15, 9);
  });

  test('widens ipw upwards alone, as it counts what was never logged as 0', async () => {
    const log = madeUpLog({ size: 2_000, seed: 'widened', logger: () => [0.5, 0.5, 0] });
    const report = await evaluated(log, [naming({ a: 0.48, b: 0.48, d: 0.04 })]);
    const reward = candidateIn(report).quantities[0];
    const around = (estimator: string) => {
      const { value, intervals } = reward!.estimates.find((one) => one.estimator === estimator)!;
      const { low, high } = intervals.find(({ method }) => method === 'student')!;
      return high! - value - (value - low!);
    };
    expect(around('ipw')).toBeCloseTo(0.04, 9);
    expect(around('dr')).toBeCloseTo(0, 9);
  });

  test('says where few records show the rarer outcome', async () => {
    const rare = (every: number) =>
      madeUpLog({
        size: 4_000,
        seed: 'rare',
        logger: () => [1 / 3, 1 / 3, 1 / 3],
        change: (one, i) => succeeding(one, i % every === 0 ? 1 : 0),
      });
    const warnings = candidateIn(await evaluated(rare(400), [fixed({ a: 1 })])).warnings;
    expect(warnings.find(({ code }) => code === 'rare_outcomes')?.what).toMatch(/reward on as much as \d\b/);
    expect(codes(await evaluated(rare(4), [fixed({ a: 1 })]))).not.toContain('rare_outcomes');
  });
});
