import { describe, expect, it } from 'vitest';
import { policyContent, policySpecSchema, rewardWeightsSchema } from '../../../src/events/schemas/policy.ts';

const thompson = (changes: object) => ({ kind: 'contextual-thompson', ...changes });
const fixed = (changes: object) => ({ kind: 'static', shares: { quick: 1 }, ...changes });

describe('what a policy may consist of', () => {
  it('has defaults for all but its kind', () => {
    expect(policySpecSchema.parse({ kind: 'contextual-thompson' })).toMatchObject({
      id: 'thompson',
      floor: 0.01,
      switchingCost: 0,
      trial: { requests: 5, share: 0.05 },
      prior: { alpha: 1, beta: 1 },
      memory: { halfLifeSeconds: 14 * 86_400, falseAlarm: 0.01 },
    });
    for (const kind of ['epsilon-greedy', 'beta-bernoulli-thompson']) expect(policySpecSchema.safeParse({ kind }).success).toBe(true);
  });

  it.each([
    ['no kind', {}, []],
    ['a kind that there is not', { kind: 'ucb' }, ['kind']],
    ['a half-life of 0', thompson({ memory: { halfLifeSeconds: 0 } }), ['memory', 'halfLifeSeconds']],
    ['a half-life of NaN', thompson({ memory: { halfLifeSeconds: NaN } }), ['memory', 'halfLifeSeconds']],
    ['a half-life below 0', thompson({ memory: { halfLifeSeconds: -3_600 } }), ['memory', 'halfLifeSeconds']],
    ['a half-life without end', thompson({ memory: { halfLifeSeconds: Infinity } }), ['memory', 'halfLifeSeconds']],
    ['a rate of false alarms of 0', thompson({ memory: { falseAlarm: 0 } }), ['memory', 'falseAlarm']],
    ['a rate of false alarms of 1', thompson({ memory: { falseAlarm: 1 } }), ['memory', 'falseAlarm']],
    ['a prior of 0', thompson({ prior: { alpha: 0, beta: 1 } }), ['prior', 'alpha']],
    ['a prior below 0', thompson({ prior: { alpha: 1, beta: -1 } }), ['prior', 'beta']],
    ['a prior of NaN', thompson({ prior: { alpha: NaN, beta: 1 } }), ['prior', 'alpha']],
    ['an unknown key', thompson({ epsilon: 0.1 }), []],
    ['an unknown key in the memory', thompson({ memory: { halflife: 5 } }), ['memory']],
    ['an unknown key in the prior', thompson({ prior: { alpha: 1, beta: 1, gamma: 1 } }), ['prior']],
    ['a deviation of 0', thompson({ cellDeviation: 0 }), ['cellDeviation']],
    ['a deviation of NaN', thompson({ cellDeviation: NaN }), ['cellDeviation']],
    ['a floor above a half', thompson({ floor: 0.6 }), ['floor']],
    ['a floor below 0', thompson({ floor: -0.01 }), ['floor']],
    ['a floor of NaN', fixed({ floor: NaN }), ['floor']],
    ['a switching cost above 1', fixed({ switchingCost: 1.5 }), ['switchingCost']],
    ['half a trial request', fixed({ trial: { requests: 0.5, share: 0 } }), ['trial', 'requests']],
    ['a share above 1', fixed({ shares: { quick: 1.1 } }), ['shares', 'quick']],
    ['a share below 0', fixed({ shares: { quick: 1, careful: -0.1 } }), ['shares', 'careful']],
    ['a share of NaN', fixed({ shares: { quick: NaN } }), ['shares', 'quick']],
    ['a share of what is no name', fixed({ shares: { 'a b': 1 } }), ['shares', 'a b']],
    ['no shares', { kind: 'static' }, ['shares']],
    ['an epsilon above 1', { kind: 'epsilon-greedy', epsilon: 1.01 }, ['epsilon']],
    ['no arm for complex questions', { kind: 'complexity', simple: 'quick' }, ['complex']],
    ['a threshold as text', { kind: 'complexity', simple: 'quick', complex: 'dear', threshold: '0.5' }, ['threshold']],
    ['a name with a space', thompson({ id: 'my policy' }), ['id']],
    [
      'warm trials of 0',
      thompson({ warmStart: { cells: [{ arm: 'quick', cell: 'all', trials: 0, reward: 0.5 }] } }),
      ['warmStart', 'cells', 0, 'trials'],
    ],
    [
      'a warm reward above 1',
      thompson({ warmStart: { cells: [{ arm: 'quick', cell: 'all', trials: 5, reward: 1.5 }] } }),
      ['warmStart', 'cells', 0, 'reward'],
    ],
    ['warm evidence without a limit', thompson({ warmStart: { maxTrials: Infinity, cells: [] } }), ['warmStart', 'maxTrials']],
  ] as const)('is not %s', (_, spec, path) => {
    const { success, error } = policySpecSchema.safeParse(spec);
    expect(success).toBe(false);
    if (path.length > 0) expect(error?.issues.map((issue) => issue.path)).toContainEqual(path);
  });
});

describe('weights', () => {
  const weights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };
  it.each([
    [{ ...weights, cost: 0.1 }],
    [{ ...weights, cost: -0.2, success: 0.8 }],
    [{ ...weights, cost: NaN }],
    [{ success: 0.5, streaming: 0.5 }],
    [{ ...weights, speed: 0 }],
  ])('%j are none', (given) => {
    expect(rewardWeightsSchema.safeParse(given).success).toBe(false);
  });

  it('sum to 1 as far as a sum of decimals can', () => {
    expect(rewardWeightsSchema.safeParse({ success: 0.1, streaming: 0.2, cache: 0.3, cost: 0.4 }).success).toBe(true);
  });
});

it('a policy has arms, 256 at most, each with room for a prompt and a price that is no loss', () => {
  const arm = { arm: 'quick', model: 'small', enabled: true, contextTokens: 8_000, price: null, lacks: [] };
  const accepts = (arms: unknown) => policyContent.arms.safeParse(arms).success;
  expect(accepts([arm])).toBe(true);
  expect(accepts(new Array(256).fill(arm))).toBe(true);
  for (const wrong of [
    [],
    new Array(257).fill(arm),
    [{ ...arm, contextTokens: 0 }],
    [{ ...arm, price: { inputUsdPerMillionTokens: -1, outputUsdPerMillionTokens: 1 } }],
    [{ ...arm, price: { inputUsdPerMillionTokens: NaN, outputUsdPerMillionTokens: 1 } }],
    [{ ...arm, lacks: ['speed'] }],
  ])
    expect(accepts(wrong)).toBe(false);
});
