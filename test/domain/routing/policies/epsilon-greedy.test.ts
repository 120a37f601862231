import { describe, expect, it } from 'vitest';
import { emptyEvidence } from '../../../../src/domain/routing/evidence.ts';
import { epsilonGreedyPolicy } from '../../../../src/domain/routing/policies/epsilon-greedy.ts';
import { learn, specOf } from '../../support/routing.ts';
import { forEver, sharesOf, weigh } from './support.ts';

const policy = epsilonGreedyPolicy(specOf({ kind: 'epsilon-greedy', epsilon: 0.3, memory: forEver }));
const evidence = emptyEvidence();
learn(evidence, 'quick', { reward: 0.5, times: 8 });
learn(evidence, 'careful', { reward: 0.75, times: 8 });
learn(evidence, 'thorough', { reward: 0.75, times: 8 });

const closeTo = (...shares: readonly number[]) => shares.map((share): unknown => expect.closeTo(share, 14));

describe('the best arm, and any with probability epsilon', () => {
  it('goes to the highest mean: (1 + 8 x 0.75) / 10 = 0.7 against 0.5', () => {
    expect(weigh(policy, { candidates: ['quick', 'careful'] }, evidence)).toEqual({
      shares: closeTo(0.15, 0.85),
      posteriors: [
        { family: 'beta', alpha: 5, beta: 5 },
        { family: 'beta', alpha: 7, beta: 3 },
      ],
    });
  });

  it('shares among equal leaders, all of them before anything is known', () => {
    expect(sharesOf(policy, {}, evidence)).toEqual(closeTo(0.1, 0.45, 0.45));
    expect(sharesOf(policy)).toEqual(closeTo(1 / 3, 1 / 3, 1 / 3));
  });

  it('counts the adjustments', () => {
    expect(sharesOf(policy, { adjustments: [0, -0.05, -0.25] }, evidence)).toEqual(closeTo(0.1, 0.8, 0.1));
    expect(sharesOf(policy, { adjustments: [0.3, 0, 0] }, evidence)).toEqual(closeTo(0.8, 0.1, 0.1));
  });

  it('is certain with epsilon 0 and uniform with epsilon 1', () => {
    const withEpsilon = (epsilon: number) => epsilonGreedyPolicy(specOf({ kind: 'epsilon-greedy', epsilon, memory: forEver }));
    expect(sharesOf(withEpsilon(0), { candidates: ['quick', 'careful'] }, evidence)).toEqual([0, 1]);
    expect(sharesOf(withEpsilon(1), {}, evidence)).toEqual(closeTo(1 / 3, 1 / 3, 1 / 3));
  });
});
