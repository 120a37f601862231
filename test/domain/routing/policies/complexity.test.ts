import { describe, expect, it } from 'vitest';
import { complexityPolicy } from '../../../../src/domain/routing/policies/complexity.ts';
import { features } from '../../support/events.ts';
import { request, specOf } from '../../support/routing.ts';
import { sharesOf } from './support.ts';

const policy = complexityPolicy(specOf({ kind: 'complexity', simple: 'quick', complex: 'thorough', threshold: 0.4 }));
const of = (complexity: number, candidates?: readonly string[]) =>
  sharesOf(policy, { features: { ...request, complexity }, ...(candidates && { candidates }) });

describe('simple questions to one arm, complex ones to another', () => {
  it('from the threshold on', () => {
    expect(of(0)).toEqual([1, 0, 0]);
    expect(of(0.399)).toEqual([1, 0, 0]);
    expect(of(0.4)).toEqual([0, 0, 1]);
    expect(of(1)).toEqual([0, 0, 1]);
  });

  it('with the other in its place where it is no candidate, and equal shares where neither is', () => {
    expect(of(0, ['careful', 'thorough'])).toEqual([0, 1]);
    expect(of(1, ['quick', 'careful'])).toEqual([1, 0]);
    expect(of(1, ['careful', 'new'])).toEqual([0.5, 0.5]);
  });

  it('takes a request of which no complexity is on record for simple', () => {
    expect(sharesOf(policy, { features: { ...features, version: 1 } as typeof features })).toEqual([1, 0, 0]);
  });
});
