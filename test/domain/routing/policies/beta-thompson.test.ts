import { describe, expect, it } from 'vitest';
import { emptyEvidence } from '../../../../src/domain/routing/evidence.ts';
import { normalPropensities } from '../../../../src/domain/routing/normal-propensities.ts';
import { betaThompsonPolicy } from '../../../../src/domain/routing/policies/beta-thompson.ts';
import { propensities } from '../../../../src/domain/routing/propensities.ts';
import { weights } from '../../support/events.ts';
import { learn, specOf, startTick } from '../../support/routing.ts';
import { forEver, sharesOf, weigh } from './support.ts';

type Spec = Parameters<typeof specOf<'beta-bernoulli-thompson'>>[0];
const policyOf = (changes: Partial<Spec> = {}) =>
  betaThompsonPolicy(specOf<'beta-bernoulli-thompson'>({ kind: 'beta-bernoulli-thompson', memory: forEver, ...changes }));
const evidence = emptyEvidence();
learn(evidence, 'quick', { reward: 0.25, times: 4 });
learn(evidence, 'careful', { reward: 1, times: 3 });
learn(evidence, 'careful', { reward: 0 });

describe('Beta-Bernoulli Thompson sampling', () => {
  it('adds a reward r to alpha and 1 - r to beta: 1 + 4 x 0.25, 2 + 4 x 0.75', () => {
    expect(weigh(policyOf({ prior: { alpha: 1, beta: 2 } }), {}, evidence).posteriors).toEqual([
      { family: 'beta', alpha: 2, beta: 5 },
      { family: 'beta', alpha: 4, beta: 3 },
      { family: 'beta', alpha: 1, beta: 2 },
    ]);
  });

  it('draws an arm as often as it is the best: 2/3 for Beta(2, 1) against Beta(1, 1)', () => {
    const one = learn(emptyEvidence(), 'quick', { reward: 1 });
    const [quick, careful] = sharesOf(policyOf(), { candidates: ['quick', 'careful'] }, one);
    expect(quick).toBeCloseTo(2 / 3, 10);
    expect(careful).toBeCloseTo(1 / 3, 10);
    expect(sharesOf(policyOf(), {}, evidence)).toEqual([
      ...propensities([
        { alpha: 2, beta: 4 },
        { alpha: 4, beta: 2 },
        { alpha: 1, beta: 1 },
      ]),
    ]);
  });

  it('weighs the parts of the reward as the tenant does, without new learning', () => {
    expect(weigh(policyOf(), { weights, candidates: ['careful'] }, evidence).posteriors).toEqual([
      { family: 'beta', alpha: expect.closeTo(1 + 0.4 * 3, 14) as number, beta: expect.closeTo(1 + 4 - 0.4 * 3, 14) as number },
    ]);
  });

  it('compares normal posteriors of the same mean and variance when adjustments differ, and only then', () => {
    const exact = sharesOf(policyOf(), {}, evidence);
    expect(sharesOf(policyOf(), { adjustments: [-0.2, -0.2, -0.2] }, evidence)).toEqual(exact);
    const adjustments = [0.1, -0.2, 0];
    // Mean a / (a + b), variance a b / ((a + b)^2 (a + b + 1)).
    const expected = normalPropensities([
      { mean: 2 / 6 + 0.1, sd: Math.sqrt(8 / 36 / 7) },
      { mean: 4 / 6 - 0.2, sd: Math.sqrt(8 / 36 / 7) },
      { mean: 1 / 2, sd: Math.sqrt(1 / 12) },
    ]);
    const seen = sharesOf(policyOf(), { adjustments }, evidence);
    seen.forEach((share, i) => {
      expect(share).toBeCloseTo(expected[i]!, 12);
    });
    expect(seen[1]).toBeLessThan(exact[1]!);
  });

  it('knows of another question that it is another, and of the same that it is the same', () => {
    const policy = policyOf();
    const first = sharesOf(policy, {}, evidence);
    const second = sharesOf(policy, { candidates: ['quick', 'careful'] }, evidence);
    expect(second).toEqual(sharesOf(policyOf(), { candidates: ['quick', 'careful'] }, evidence));
    expect(sharesOf(policy, { adjustments: [0.2, 0, 0] }, evidence)[0]).toBeGreaterThan(first[0]!);
    expect(sharesOf(policy, {}, evidence)).toEqual(first);
    learn(evidence, 'thorough', { reward: 1 });
    expect(sharesOf(policy, {}, evidence)).not.toEqual(first);
  });

  it('forgets by half with each half-life', () => {
    const own = learn(emptyEvidence(), 'quick', { reward: 0.75, times: 8 });
    const policy = policyOf({ memory: { halfLifeSeconds: 1_600, falseAlarm: null } });
    expect(weigh(policy, { candidates: ['quick'], nowTick: startTick + 200 }, own).posteriors).toEqual([
      { family: 'beta', alpha: 2.5, beta: 1.5 },
    ]);
  });

  it('begins with what is known from elsewhere, as so many trials at most', () => {
    const cells = [
      { arm: 'quick', cell: 'all', trials: 1_000, reward: 0.8 },
      { arm: 'careful', cell: 'all', trials: 5, reward: 0.2 },
      { arm: 'thorough', cell: 'kind:other', trials: 5, reward: 0.2 },
    ];
    const posteriors = weigh(policyOf({ warmStart: { maxTrials: 10, cells } })).posteriors;
    expect(posteriors).toEqual([
      { family: 'beta', alpha: 9, beta: 3 },
      { family: 'beta', alpha: 2, beta: 5 },
      { family: 'beta', alpha: 1, beta: 1 },
    ]);
  });

  it('stays above 0 where the beginning of a log is gone', () => {
    const revised = learn(emptyEvidence(), 'quick', { trials: 0, success: -900_000, times: 5 });
    const [posterior] = weigh(policyOf(), { candidates: ['quick'] }, revised).posteriors;
    expect(posterior).toMatchObject({ alpha: 1e-3 });
  });
});
