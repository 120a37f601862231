import { describe, expect, it } from 'vitest';
import { allEstimators, defaultEstimators, tuningGrids } from '../../../src/domain/evaluation/estimators.ts';

const named = (name: string) => allEstimators.find((estimator) => estimator.name === name)!;

describe('the estimators', () => {
  it('that are reported', () => {
    expect(defaultEstimators.map(({ name }) => name).join(' ')).toBe(
      'ipw snipw dm dr sndr ipw_clip1 switch-dr_1 dr-os_1 ipw_clip2 switch-dr_2 dr-os_2 ipw_clip5 switch-dr_5 dr-os_5 ipw_clip10 switch-dr_10 dr-os_10 sg-ipw_0.01 sg-ipw_0.1',
    );
  });

  it('weigh a weight of 4', () => {
    const weighed = ['ipw', 'dm', 'ipw_clip2', 'ipw_clip5', 'switch-dr_2', 'switch-dr_5', 'dr-os_2', 'dr-os_500', 'sg-ipw_0.1'];
    expect(Object.fromEntries(weighed.map((name) => [name, named(name).weight(4)]))).toEqual({
      ipw: 4,
      dm: 0,
      ipw_clip2: 2,
      ipw_clip5: 4,
      'switch-dr_2': 0,
      'switch-dr_5': 4,
      'dr-os_2': 8 / 18,
      'dr-os_500': 2_000 / 516,
      'sg-ipw_0.1': 4 / 1.3,
    });
  });

  it('clip and switch at the limit alike: a weight of just lambda is kept', () => {
    expect(named('switch-dr_5').weight(5)).toBe(5);
    expect(named('switch-dr_5').weight(5.000_001)).toBe(0);
    expect(named('ipw_clip5').weight(5.000_001)).toBe(5);
  });

  it('keep a weight of 0, and share what is the same: 47 of 34 weights', () => {
    for (const { weight } of allEstimators) expect(weight(0)).toBe(0);
    expect(allEstimators).toHaveLength(47);
    expect(new Set(allEstimators.map(({ name }) => name)).size).toBe(47);
    expect(new Set(allEstimators.map(({ weight }) => weight)).size).toBe(34);
  });
});

describe('the grids', () => {
  it('run through the lambdas and end where nothing is cut', () => {
    expect(tuningGrids.map(({ family, members }) => [family, members.at(-1)!.estimator.name])).toEqual([
      ['ipw', 'ipw'],
      ['dr', 'dr'],
      ['switch-dr', 'dr'],
      ['dr-os', 'dr'],
    ]);
    for (const { members } of tuningGrids) {
      expect(members.map(({ lambda }) => lambda)).toEqual([1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, Infinity]);
      // Each lambda leaves a weight at least as much of itself as the one before.
      const left = members.map(({ estimator }) => estimator.weight(77));
      expect(left).toEqual(left.toSorted((one, other) => one - other));
    }
  });
});
