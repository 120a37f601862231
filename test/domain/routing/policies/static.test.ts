import { describe, expect, it } from 'vitest';
import { hasShare, staticPolicy } from '../../../../src/domain/routing/policies/static.ts';
import { specOf } from '../../support/routing.ts';
import { sharesOf, weigh } from './support.ts';

const policy = staticPolicy(specOf({ kind: 'static', shares: { quick: 0.5, careful: 0.3, thorough: 0.2 } }));

describe('fixed shares', () => {
  it('are as they were given, and nothing is believed', () => {
    expect(weigh(policy)).toEqual({ shares: [0.5, 0.3, 0.2], posteriors: [null, null, null] });
    expect(sharesOf(policy, { candidates: ['thorough', 'quick'].toReversed() })[0]).toBeCloseTo(5 / 7, 15);
  });

  it('of arms that are no candidates fall to the others in proportion', () => {
    const [careful, thorough] = sharesOf(policy, { candidates: ['careful', 'thorough'] });
    expect([careful, thorough]).toEqual([expect.closeTo(0.6, 15), expect.closeTo(0.4, 15)]);
  });

  it('give nothing to an arm that has none; where a caller names such arms alone they share equally', () => {
    expect(sharesOf(policy, { candidates: ['new', 'quick'] })).toEqual([0, 1]);
    const spec = specOf({ kind: 'static', shares: { quick: 1, careful: 0 } });
    expect(['quick', 'careful', 'new', 'constructor'].map((arm) => hasShare(spec, arm))).toEqual([true, false, false, false]);
    expect(hasShare(specOf({ kind: 'epsilon-greedy' }), 'new')).toBe(true);
    expect(sharesOf(policy, { candidates: ['new', 'newer'] })).toEqual([0.5, 0.5]);
  });

  it('do not take what every object has for a share', () => {
    expect(sharesOf(policy, { candidates: ['constructor', 'quick'] })).toEqual([0, 1]);
  });
});
