import { describe, expect, test } from 'vitest';
import { distributionCandidate, type Candidate } from '../../../src/replay/evaluation/candidate.ts';
import type { EvaluationInput } from '../../../src/replay/evaluation/evaluate.ts';
import type { EvaluationReport, QuantityName } from '../../../src/replay/evaluation/report.ts';
import { repricing } from '../../../src/replay/evaluation/what-if.ts';
import { evaluated, settings } from '../support/evaluated.ts';
import { arms, inPages, madeUpLog, valueOf, type MadeUp } from '../support/made-up-log.ts';

const always = (shares: readonly number[], name = shares.join('/')): Candidate =>
  distributionCandidate({ name, file: null, arms, probabilities: (_slot, of) => of.map((arm) => shares[arms.indexOf(arm as 'a')] ?? 0) });

const even = () => [1 / 3, 1 / 3, 1 / 3];
const evaluatedLog = (log: MadeUp, candidates: readonly Candidate[], more: Partial<EvaluationInput> = {}): Promise<EvaluationReport> =>
  evaluated(madeUpLog(log), candidates, more);

const refusalsOf = ({ candidates }: EvaluationReport): readonly string[] => (candidates[0]?.verdict.refusals ?? []).map(({ what }) => what);
const quantityIn = (report: EvaluationReport, name: QuantityName, candidate = 0) => {
  const found = report.candidates[candidate]?.quantities.find(({ quantity }) => quantity === name);
  if (found === undefined) throw new Error(`no ${name} in the report`);
  return found;
};
const estimateIn = (report: EvaluationReport, name: QuantityName, estimator: string, candidate = 0) => {
  const found = quantityIn(report, name, candidate).estimates.find((one) => one.estimator === estimator);
  if (found === undefined) throw new Error(`no ${estimator} in the report`);
  return found;
};

describe('evaluate', () => {
  test('finds the value of another policy, and that it is better', async () => {
    const report = await evaluatedLog({ size: 4_000, seed: 'better', logger: even }, [
      always([0, 0, 1], 'always-c'),
      always([0, 1, 0], 'always-b'),
    ]);
    for (const estimator of ['ipw', 'snipw', 'dr', 'sndr']) {
      const { value, standardError } = estimateIn(report, 'reward', estimator);
      // Five standard errors: by chance once in a million.
      expect(Math.abs(value - valueOf([0, 0, 1]))).toBeLessThan(5 * (standardError ?? NaN));
    }
    expect(report.candidates.map(({ verdict }) => verdict.kind)).toEqual(['better', 'worse']);
    expect(report.control).toEqual({ comparisons: 2, alphaEach: 0.025, adjustment: 'holm' });
    const { difference } = quantityIn(report, 'reward');
    expect(difference.pAdjusted).toBeGreaterThanOrEqual(difference.p ?? NaN);
    for (const { low, high } of difference.intervals) {
      expect(low).toBeLessThan(valueOf([0, 0, 1]) - valueOf(even()));
      expect(high).toBeGreaterThan(valueOf([0, 0, 1]) - valueOf(even()));
    }
  });

  test('a candidate that is the logger differs by nothing', async () => {
    const report = await evaluatedLog({ size: 2_000, seed: 'same', logger: even }, [always(even())]);
    const { difference } = quantityIn(report, 'reward');
    expect(difference.value).toBeCloseTo(0, 12);
    expect(report.candidates[0]?.diagnostics.effectiveRecords).toBeCloseTo(2_000, 6);
    expect(report.candidates[0]?.verdict.kind).toBe('cannot tell');
  });

  test('other quantities have values of their own, and failures no better reward', async () => {
    const report = await evaluatedLog({ size: 2_000, seed: 'quantities', logger: even }, [always([1, 0, 0])]);
    expect(estimateIn(report, 'costUsd', 'snipw').value).toBeCloseTo(0.001, 12);
    expect(estimateIn(report, 'latencyMs', 'snipw').value).toBeCloseTo(100, 9);
    expect(estimateIn(report, 'failureRate', 'snipw').value).toBeCloseTo(1 - estimateIn(report, 'success', 'snipw').value, 12);
    expect(quantityIn(report, 'costUsd').estimates[0]?.intervals.map(({ method }) => method)).not.toContain('betting');
  });

  test('other weights make another reward, other prices another cost', async () => {
    const weights = { success: 0.5, streaming: 0.1, cache: 0, cost: 0.4 };
    const prices = { a: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 3 } };
    const log = { size: 1_000, seed: 'what if', logger: even };
    const report = await evaluatedLog(log, [always([1, 0, 0])], {
      settings: { ...settings, weights, prices },
      alter: repricing(prices, 0.004),
    });
    expect(estimateIn(report, 'costUsd', 'snipw').value).toBeCloseTo(0.004, 12);
    // 1 / (1 + cost / target) = 1/2; failures keep what they had.
    const success = estimateIn(report, 'success', 'snipw').value;
    const cost = 0.5 * success + 0.25 * (1 - success);
    expect(estimateIn(report, 'reward', 'snipw').value).toBeCloseTo(0.5 * success + 0.1 * 0.5 + 0.4 * cost, 12);
  });

  test.each(['past', 'cross-fitted'] as const)('a model of the %s kind takes variance away and leaves the mean', async (rewardModel) => {
    const log = { size: 3_000, seed: 'model', logger: () => [0.6, 0.3, 0.1] };
    const report = await evaluatedLog(log, [always([0, 0.5, 0.5])], { settings: { ...settings, rewardModel } });
    const [dr, ipw] = [estimateIn(report, 'reward', 'dr'), estimateIn(report, 'reward', 'ipw')];
    expect(dr.standardError).toBeLessThan(0.75 * (ipw.standardError ?? NaN));
    expect(Math.abs(dr.value - valueOf([0, 0.5, 0.5]))).toBeLessThan(5 * (dr.standardError ?? NaN));
  });

  test('without a model no estimator uses one', async () => {
    const report = await evaluatedLog({ size: 500, seed: 'none', logger: even }, [always([0, 0, 1])], {
      settings: { ...settings, rewardModel: 'none' },
    });
    expect(
      quantityIn(report, 'reward')
        .estimates.map(({ estimator }) => estimator)
        .filter((name) => /^(dm|s?n?dr|switch)/.test(name)),
    ).toEqual([]);
    expect(quantityIn(report, 'reward').recommended).toBe('ipw');
  });

  test('duplicates and records without an outcome are counted, said and left out', async () => {
    const log = madeUpLog({ size: 1_000, seed: 'faults', logger: even });
    const plain = await evaluated(log, [always([0, 0, 1])]);
    const open = madeUpLog({ size: 10, seed: 'open', logger: even, change: (one, i) => ({ ...one, id: `open-${i}`, outcome: null }) });
    const spoilt = [...log.slice(0, 700), ...log.slice(100, 200), ...open, ...log.slice(700)];
    const report = await evaluated(spoilt, [always([0, 0, 1])]);
    expect(report.counts).toMatchObject({ read: 1_110, duplicates: 100, censored: 10, evaluated: 1_000, clusters: 1_000 });
    expect(report.warnings.map(({ code }) => code)).toEqual(['duplicates', 'censored']);
    expect(report.candidates[0]?.quantities).toEqual(plain.candidates[0]?.quantities);
  });

  test('two policies, other weights and a logger that learns are warned of', async () => {
    const log = madeUpLog({
      size: 2_000,
      seed: 'mixed',
      logger: (i) => (i < 1_000 ? even() : [0.05, 0.05, 0.9]),
      change: (one, i) => ({
        ...one,
        policy: i < 1_000 ? 'logger v1' : 'logger v2',
        outcome: one.outcome && {
          ...one.outcome,
          weights: i < 500 ? one.outcome.weights : { success: 0.9, streaming: 0.1, cache: 0, cost: 0 },
        },
      }),
    });
    const report = await evaluated(log, [always([0, 0, 1])]);
    expect(report.warnings.map(({ code }) => code)).toEqual(['mixed_policies', 'mixed_weights', 'logger_drifts']);
    expect(report.loggers).toEqual([
      { policy: 'logger v1', records: 1_000 },
      { policy: 'logger v2', records: 1_000 },
    ]);
    expect(report.exploration.evenness?.length).toBeGreaterThanOrEqual(10);
  });

  test('refuses where few records carry all, unless forced', async () => {
    const log = { size: 1_000, seed: 'overlap', logger: () => [0.99, 0.005, 0.005] };
    const report = await evaluatedLog(log, [always([0, 0, 1])]);
    expect(report.candidates[0]?.verdict).toMatchObject({ kind: 'refused', forced: false });
    expect(report.candidates[0]?.warnings.map(({ code }) => code)).toContain('few_effective');
    const forced = await evaluatedLog(log, [always([0, 0, 1])], { settings: { ...settings, force: true } });
    expect(forced.candidates[0]?.verdict).toMatchObject({ forced: true });
    expect(forced.candidates[0]?.verdict.kind).not.toBe('refused');
  });

  test('refuses for arms that the logger never chose, and for propensities that are not its own', async () => {
    const shares = new Map([
      ['c', 0.5],
      ['never', 0.5],
    ]);
    const stranger: Candidate = {
      ...always([0, 0, 1]),
      weigh: (decisions) => decisions.map(() => ({ arms: [...shares.keys()], probabilities: [...shares.values()] })),
    };
    const unseen = await evaluatedLog({ size: 1_000, seed: 'never', logger: even }, [stranger]);
    expect(unseen.candidates[0]?.diagnostics.unsupported).toBeCloseTo(0.5, 12);
    expect(unseen.candidates[0]?.verdict.refusals).toHaveLength(1);
    const wrong = madeUpLog({ size: 2_000, seed: 'wrong', logger: even, change: (one) => ({ ...one, propensity: 0.5 }) });
    const report = await evaluated(wrong, [always([0, 0, 1])]);
    expect(refusalsOf(report).join()).toContain('propensities are not those');
  });

  test('a mean over few conversations says little of others: a conclusion asks for their interval too, and for 30 of them', async () => {
    const clustered = (clusters: number, effect: (conversation: number) => number) =>
      madeUpLog({
        size: 3_000,
        seed: `clusters ${clusters}`,
        logger: even,
        change: (one, i) => {
          const success = one.arm === 'c' ? effect(i % clusters) : 0.5;
          const outcome = one.outcome && { ...one.outcome, parts: { ...one.outcome.parts, success } };
          return { ...one, cluster: `conversation-${i % clusters}`, outcome };
        },
      });
    const reportOf = (clusters: number, effect: (conversation: number) => number) =>
      evaluated(clustered(clusters, effect), [always([0, 0, 1])], { largestWeight: 3 });
    // On these requests arm c is better, as in 23 of 40 conversations; 40 others may be otherwise.
    const split = await reportOf(40, (conversation) => (conversation < 23 ? 0.9 : 0.1));
    const { difference, estimates } = quantityIn(split, 'reward');
    expect(difference.intervals.find(({ method }) => method === 'betting')?.low).toBeGreaterThan(0);
    expect(difference.intervals.find(({ method }) => method === 'student')?.low).toBeLessThan(0);
    expect(split.candidates[0]?.verdict).toMatchObject({
      kind: 'cannot tell',
      sentence: expect.stringContaining('by conversation') as string,
    });
    expect(split.warnings.map(({ code }) => code)).toContain('few_conversations');
    expect(estimates[0]?.intervals.find(({ method }) => method === 'empirical-bernstein')?.low).toBeNull();
    // The logger's own mean: Student's by conversation is far wider than that of 3,000 records (0.008).
    const own = split.onPolicy[0]?.intervals.find(({ method }) => method === 'student');
    expect((own?.high ?? NaN) - (own?.low ?? NaN)).toBeGreaterThan(0.05);

    expect((await reportOf(40, () => 0.9)).candidates[0]?.verdict.kind).toBe('better');
    const few = await reportOf(20, () => 0.9);
    expect(refusalsOf(few)).toEqual([expect.stringContaining('20 conversations, fewer than the 30')]);
  });

  test('what the records say nothing of is null: the spread of terms that are all alike, and a range that was not known', async () => {
    const log = madeUpLog({
      size: 300,
      seed: 'failed',
      logger: even,
      change: (one) => ({ ...one, outcome: one.outcome && { ...one.outcome, parts: { ...one.outcome.parts, success: 0 } } }),
    });
    const failed = await evaluated(log, [always([0, 0, 1])], { largestWeight: 3 });
    for (const { method, low } of estimateIn(failed, 'success', 'ipw').intervals) if (method !== 'betting') expect(low, method).toBeNull();
    const bernsteinOf = (report: EvaluationReport, estimator: string) =>
      estimateIn(report, 'reward', estimator).intervals.find(({ method }) => method === 'empirical-bernstein')?.low;
    const plain = { size: 300, seed: 'range', logger: even };
    const known = await evaluatedLog(plain, [always([0, 0, 1])], { largestWeight: 3 });
    expect([bernsteinOf(known, 'ipw'), bernsteinOf(known, 'snipw')]).toEqual([expect.any(Number), null]);
    expect(bernsteinOf(await evaluatedLog(plain, [always([0, 0, 1])]), 'ipw')).toBeNull();
  });

  test('refuses where nothing came of many decisions, and takes that for a cause of weights that are off', async () => {
    // What failed on arm c is missing.
    const log = madeUpLog({
      size: 4_000,
      seed: 'censored',
      logger: even,
      change: (one) => (one.arm === 'c' && one.outcome?.failed === true ? { ...one, outcome: null } : one),
    });
    const report = await evaluated(log, [always([0, 0, 1])]);
    expect(report.candidates[0]?.verdict.kind).toBe('refused');
    const [censored, weights] = refusalsOf(report);
    expect(censored).toContain('could shift by up to 0.1');
    expect(weights).toContain('the records of which nothing came');
  });

  test('an arm that is seldom drawn, and was not, is no proof against the propensities', async () => {
    const log = madeUpLog({ size: 200, seed: 'rare', logger: () => [0.5, 0.495, 0.005] }).filter(({ arm }) => arm !== 'c');
    const report = await evaluated(log, [always([0, 0, 1])]);
    expect(refusalsOf(report)).toEqual([expect.stringContaining('was an arm drawn that the candidate would choose')]);
  });

  test('each estimate has a name of its own, and one that no value can have is said', async () => {
    const report = await evaluatedLog({ size: 1_000, seed: 'names', logger: even }, [always([0, 0, 1])]);
    const names = quantityIn(report, 'reward').estimates.map(({ estimator }) => estimator);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('dr (slope)');
    const outside = madeUpLog({
      size: 40,
      seed: 'outside',
      logger: even,
      change: (one) => (one.outcome?.failed === true ? one : { ...one, propensity: 0.1 }),
    });
    const strange = await evaluated(outside, [always([0, 0, 1])], { settings: { ...settings, rewardModel: 'none' } });
    expect(strange.candidates[0]?.warnings.find(({ code }) => code === 'outside_range')?.what).toContain('reward ');
  });

  test("rejection replay takes the accepted records for the candidate's own", async () => {
    const log = madeUpLog({ size: 6_000, seed: 'rejection', logger: even });
    const candidate: Candidate = {
      ...always([0, 0, 1]),
      method: { name: 'rejection-replay', why: 'for the test' },
      weigh: (decisions) => decisions.map(({ arm }) => ({ arms, probabilities: [0, 0, 1], accepted: arm === 'c' })),
    };
    const report = await evaluated(log, [candidate]);
    const accepted = log.filter(({ arm }) => arm === 'c').map(({ outcome }) => outcome?.parts.success ?? NaN);
    const { value, intervals } = estimateIn(report, 'reward', 'snipw');
    expect(value).toBeCloseTo(accepted.reduce((sum, one) => sum + one, 0) / accepted.length, 12);
    expect(intervals.map(({ guarantee }) => guarantee)).toContain('anytime');
    expect(report.candidates[0]?.verdict.kind).toBe('better');
  });

  test('the same records give the same report, however they are cut', async () => {
    const log = madeUpLog({ size: 1_500, seed: 'cut', logger: even });
    const [one, other] = await Promise.all(
      [64, 1_500].map((pageSize) => evaluated(log, [always([0.2, 0.3, 0.5])], { records: inPages(log, pageSize) })),
    );
    expect(one).toEqual(other);
  });

  test('nothing to evaluate is an error that says what there was', async () => {
    const open = madeUpLog({ size: 5, seed: 'open', logger: even, change: (one) => ({ ...one, outcome: null }) });
    await expect(evaluated(open, [always([1, 0, 0])])).rejects.toThrow('got 5 decisions of which nothing came');
  });
});
