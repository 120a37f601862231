import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyEvidence, type Evidence } from '../../../../src/domain/routing/evidence.ts';
import { normalPropensities } from '../../../../src/domain/routing/normal-propensities.ts';
import { contextualThompsonPolicy } from '../../../../src/domain/routing/policies/contextual-thompson.ts';
import { learn, specOf, startTick } from '../../support/routing.ts';
import { forEver, sharesOf, weigh } from './support.ts';

type Spec = Parameters<typeof specOf<'contextual-thompson'>>[0];
const policyOf = (changes: Partial<Spec> = {}) =>
  contextualThompsonPolicy(specOf<'contextual-thompson'>({ kind: 'contextual-thompson', memory: forEver, cellDeviation: 0.1, ...changes }));
const chain = ['all', 'kind:other', 'opening:7'];

type Belief = { readonly mean: number; readonly sd: number };
const beliefsOf = (policy: ReturnType<typeof policyOf>, changes: Parameters<typeof weigh>[1], evidence: Evidence): readonly Belief[] =>
  weigh(policy, changes, evidence).posteriors.map((posterior) => {
    if (posterior?.family !== 'normal') throw new Error('expected a normal posterior');
    return posterior;
  });

/** A reward of an arm in the first so many cells of the chain. */
type Given = { readonly arm: number; readonly depth: number; readonly reward: number };
const arms = ['quick', 'careful', 'thorough'];

/** The model as it is written in the docstring, computed from the rewards themselves, level by level. */
const straightforward = (rewards: readonly Given[]): readonly Belief[] => {
  const variances = arms.map((_, arm) => {
    const own = rewards.filter((one) => one.arm === arm).map(({ reward }) => reward);
    const mean = (own.reduce((sum, r) => sum + r, 0) + 0.5) / (own.length + 1);
    const square = (own.reduce((sum, r) => sum + r * r, 0) + 0.5) / (own.length + 1);
    return { n: own.length, variance: Math.max(1e-4, square - mean ** 2) };
  });
  const all = variances.reduce((sum, { n, variance }) => sum + n * variance, 0.25) / (rewards.length + 1);
  const noise = variances.map(({ n, variance }) => (n * variance + 8 * all) / (n + 8));
  let beliefs = arms.map(() => ({ mean: 0.5, variance: 1 / 12 }));
  chain.forEach((_, level) => {
    const here = arms.map((__, arm) => rewards.filter((one) => one.arm === arm && one.depth > level).map(({ reward }) => reward));
    const total = here.reduce((sum, own) => sum + own.length, 0);
    let ease = 0;
    if (level > 0 && total > 0) {
      const excess = here.reduce((sum, own, arm) => sum + own.reduce((s, r) => s + r - beliefs[arm]!.mean, 0), 0);
      const meanNoise = here.reduce((sum, own, arm) => sum + own.length * noise[arm]!, 0) / total;
      ease = excess / (total + meanNoise / 0.01);
    }
    beliefs = beliefs.map((before, arm) => {
      const prior = { mean: before.mean + ease, variance: before.variance + (level === 0 ? 0 : (0.01 * total) / (total + 40)) };
      const own = here[arm]!;
      const precision = 1 / prior.variance + own.length / noise[arm]!;
      return {
        mean: (prior.mean / prior.variance + own.reduce((sum, r) => sum + r, 0) / noise[arm]!) / precision,
        variance: 1 / precision,
      };
    });
  });
  return beliefs.map(({ mean, variance }) => ({ mean, sd: Math.sqrt(variance) }));
};

describe('the hierarchical model', () => {
  it('is the one that is written down, for any rewards', () => {
    const given: fc.Arbitrary<Given> = fc.record({
      arm: fc.nat(2),
      depth: fc.integer({ min: 1, max: 3 }),
      // Thousandths, whose squares are whole millionths.
      reward: fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000),
    });
    fc.assert(
      fc.property(fc.array(given, { maxLength: 80 }), (rewards) => {
        const evidence = emptyEvidence();
        for (const { arm, depth, reward } of rewards) learn(evidence, arms[arm]!, { reward, cells: chain.slice(0, depth) });
        const expected = straightforward(rewards);
        const seen = weigh(policyOf(), { cells: chain }, evidence);
        seen.posteriors.forEach((posterior, i) => {
          if (posterior?.family !== 'normal') throw new Error('expected a normal posterior');
          expect(posterior.mean).toBeCloseTo(expected[i]!.mean, 9);
          expect(posterior.sd).toBeCloseTo(expected[i]!.sd, 9);
        });
        expect(Math.abs(seen.shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(1e-12);
      }),
      { seed: 66, numRuns: 200 },
    );
  });

  it('draws each arm as often as its posterior, with its adjustment, is the largest', () => {
    const evidence = learn(learn(emptyEvidence(), 'quick', { reward: 0.4, times: 20 }), 'careful', { reward: 0.6, times: 20 });
    const adjustments = [0.15, 0, -0.3];
    const { posteriors, shares } = weigh(policyOf(), { adjustments }, evidence);
    const beliefs = posteriors as readonly Belief[];
    expect(shares).toEqual([...normalPropensities(beliefs.map(({ mean, sd }, i) => ({ mean: mean + adjustments[i]!, sd })))]);
    expect(beliefsOf(policyOf(), {}, evidence)).toEqual(
      posteriors.map((posterior) => expect.objectContaining({ ...posterior }) as unknown),
    );
  });
});

/** Two arms that are known well in general, and one kind of request that only the first was given. */
const known = () => {
  const evidence = emptyEvidence();
  for (const arm of ['quick', 'careful']) learn(evidence, arm, { reward: 1, times: 140, cells: ['all', 'kind:easy'] });
  for (const arm of ['quick', 'careful']) learn(evidence, arm, { reward: 0, times: 60, cells: ['all', 'kind:easy'] });
  return evidence;
};
const two = ['quick', 'careful'];

describe('what is learned of a kind of request', () => {
  it('falls back to all requests where the kind was never seen', () => {
    const general = weigh(policyOf(), { candidates: two, cells: ['all'] }, known());
    expect(weigh(policyOf(), { candidates: two, cells: ['all', 'kind:new', 'opening:200'] }, known())).toEqual(general);
  });

  it('tells of the other arm too: one that is hard for the first is expected to be hard for the second', () => {
    const evidence = known();
    learn(evidence, 'quick', { reward: 0, times: 40, cells: ['all', 'kind:hard'] });
    const at = { candidates: two, cells: ['all', 'kind:hard'] };
    const [quickInGeneral, carefulInGeneral] = beliefsOf(policyOf(), { candidates: two }, evidence);
    const [quick, careful] = beliefsOf(policyOf(), at, evidence);
    expect(quick!.mean).toBeLessThan(quickInGeneral!.mean - 0.2);
    expect(careful!.mean).toBeLessThan(carefulInGeneral!.mean - 0.1);
    // Of the one that was not tried there less is certain.
    expect(careful!.sd).toBeGreaterThan(carefulInGeneral!.sd);
    expect(careful!.mean).toBeGreaterThan(quick!.mean);
  });

  it('is trusted on its own once it was seen a hundred times', () => {
    const evidence = known();
    learn(evidence, 'careful', { reward: 0, times: 300, cells: ['all', 'kind:hard'] });
    learn(evidence, 'quick', { reward: 1, times: 300, cells: ['all', 'kind:hard'] });
    const [quick, careful] = beliefsOf(policyOf(), { candidates: two, cells: ['all', 'kind:hard'] }, evidence);
    expect(quick!.mean).toBeGreaterThan(0.93);
    expect(careful!.mean).toBeLessThan(0.07);
    expect(sharesOf(policyOf(), { candidates: two, cells: ['all', 'kind:hard'] }, evidence)[0]).toBeGreaterThan(0.999);
  });
});

describe('memory', () => {
  it('forgets by half with each half-life, in every cell', () => {
    const memory = { halfLifeSeconds: 1_600, falseAlarm: null };
    const cells = ['all', 'kind:other'];
    const later = learn(emptyEvidence(), 'quick', { reward: 0.5, times: 64, cells });
    const now = learn(emptyEvidence(), 'quick', { reward: 0.5, times: 16, cells });
    const [faded] = beliefsOf(policyOf({ memory }), { candidates: ['quick'], cells, nowTick: startTick + 200 }, later);
    const [fresh] = beliefsOf(policyOf({ memory }), { candidates: ['quick'], cells }, now);
    expect(faded!.mean).toBeCloseTo(fresh!.mean, 2);
    expect(faded!.sd).toBeCloseTo(fresh!.sd, 2);
  });

  it('drops what lay before a jump of an arm, in every cell', () => {
    const evidence = emptyEvidence();
    const cells = ['all', 'kind:other'];
    for (let ticks = 0; ticks < 50; ticks++) learn(evidence, 'quick', { reward: 1, times: 4, ticks, cells });
    for (let ticks = 50; ticks < 60; ticks++) learn(evidence, 'quick', { reward: 0, times: 4, ticks, cells });
    const at = { candidates: ['quick'], cells };
    const [whole] = beliefsOf(policyOf(), at, evidence);
    const [cut] = beliefsOf(policyOf({ memory: { halfLifeSeconds: null, falseAlarm: 0.01 } }), at, evidence);
    expect(whole!.mean).toBeGreaterThan(0.75);
    expect(cut!.mean).toBeLessThan(0.1);
  });

  it('begins with what is known from elsewhere, in the cell that it is about, as so many trials at most', () => {
    const warm = (trials: number, maxTrials: number, cell = 'all') =>
      policyOf({ warmStart: { maxTrials, cells: [{ arm: 'quick', cell, trials, reward: 0.9 }] } });
    const believed = (policy: ReturnType<typeof policyOf>, cells = ['all', 'kind:other']) => beliefsOf(policy, { cells }, emptyEvidence());
    expect(believed(warm(1_000_000, 20))).toEqual(believed(warm(20, 50)));
    expect(believed(warm(20, 50))[0]!.mean).toBeGreaterThan(0.75);
    expect(believed(warm(20, 50))[1]!.mean).toBe(0.5);
    expect(believed(warm(20, 50, 'kind:other'), ['all', 'kind:code-writing'])[0]!.mean).toBe(0.5);
    // A kind that is easy for one arm is expected to be so for all.
    const [quick, careful] = believed(warm(40, 50, 'kind:other'));
    expect(quick!.mean).toBeGreaterThan(careful!.mean);
    expect(careful!.mean).toBeGreaterThan(0.5);
  });
});
