import { describe, expect, it } from 'vitest';
import { openDiagnostics } from '../../../src/domain/evaluation/diagnostics.ts';
import type { Estimate } from '../../../src/domain/evaluation/estimate.ts';
import { allEstimators, tuningGrids, type TuningGrid } from '../../../src/domain/evaluation/estimators.ts';
import type { Sample } from '../../../src/domain/evaluation/sample.ts';
import { openTally } from '../../../src/domain/evaluation/tally.ts';
import { tuned } from '../../../src/domain/evaluation/tuning.ts';
import { studentQuantile } from '../../../src/domain/comparison/student-t.ts';
import { loggedSample } from '../support/logged-sample.ts';
import { textbook } from '../support/textbook.ts';

/** A grid of made-up members: of each lambda its value and the standard deviation of its terms; 100 terms each, so that Student's width at 0.1 is 0.1297 of it. */
const madeUp = (members: readonly (readonly [lambda: number, value: number, deviation: number])[]) => {
  const estimator = (lambda: number) => ({ name: `at ${lambda}`, model: false, weight: (w: number) => w, normalised: false });
  const grid: TuningGrid = { family: 'ipw', members: members.map(([lambda]) => ({ lambda, estimator: estimator(lambda) })) };
  const estimates = new Map(
    members.map(([lambda, value, deviation]): [string, Estimate] => [
      `at ${lambda}`,
      {
        estimator: estimator(lambda),
        value,
        terms: { count: 100, mean: value, variance: deviation ** 2 },
        leastTerm: 0,
        mostTerm: 1,
        influenceVariance: deviation ** 2,
        sums: { plain: new Float64Array(1), normalised: null },
      },
    ]),
  );
  const choose = (rule: 'slope' | 'mse', weights = { meanSquareWeight: 0, mostWeight: 0 }) =>
    tuned(grid, rule, { estimates }, weights).lambda;
  return choose;
};

describe('SLOPE', () => {
  it('takes the narrowest of members that all agree', () => {
    expect(
      madeUp([
        [1, 1, 0.1],
        [2, 1.01, 1],
        [Infinity, 0.98, 5],
      ])('slope'),
    ).toBe(1);
  });

  it('stops before the first that disagrees, also with one that is not its neighbour', () => {
    // Widths .649, .259, .065, .013. The difference of 1 to the widest is within .065 + 1.449 * .649; that of .5 to the second is not within .065 + 1.449 * .259 = .44.
    expect(
      madeUp([
        [1, 2, 0.1],
        [2, 2, 0.5],
        [5, 1.5, 2],
        [Infinity, 1, 5],
      ])('slope'),
    ).toBe(5);
    // Within .44 of it, it is believed, and so is the narrowest, within .013 + 1.449 * .259 = .39.
    expect(
      madeUp([
        [1, 1.88, 0.1],
        [2, 1.88, 0.5],
        [5, 1.5, 2],
        [Infinity, 1, 5],
      ])('slope'),
    ).toBe(1);
    // The neighbours agree, the narrowest is beyond .013 + 1.449 * .649 = .953 of the widest.
    expect(
      madeUp([
        [1, 1.96, 0.1],
        [2, 1.9, 0.5],
        [5, 1.6, 2],
        [Infinity, 1, 5],
      ])('slope'),
    ).toBe(2);
  });

  it('goes by the width, not by lambda, and of members alike takes the largest lambda', () => {
    expect(
      madeUp([
        [1, 1, 3],
        [2, 1, 0.1],
        [Infinity, 1, 5],
      ])('slope'),
    ).toBe(2);
    expect(
      madeUp([
        [1, 9, 0.1],
        [2, 1, 5],
        [5, 1, 5],
        [Infinity, 1, 5],
      ])('slope'),
    ).toBe(Infinity);
    expect(
      madeUp([
        [1, 9, 0.1],
        [2, 1, 5],
        [5, 1, 5],
        [Infinity, 2, 7],
      ])('slope'),
    ).toBe(5);
  });
});

describe('the bound on the mean squared error', () => {
  // Variance 4 / 100 = .04 at infinity, .0001 at 1.
  it('weighs variance against squared bias', () => {
    expect(
      madeUp([
        [1, 1.19, 0.1],
        [Infinity, 1, 2],
      ])('mse'),
    ).toBe(1);
    expect(
      madeUp([
        [1, 1.21, 0.1],
        [Infinity, 1, 2],
      ])('mse'),
    ).toBe(Infinity);
  });

  it('adds to the bias what chance may have hidden of it', () => {
    const choose = (bias: number, meanSquareWeight: number, mostWeight: number) =>
      madeUp([
        [1, 1 + bias, 0.1],
        [Infinity, 1, 2],
      ])('mse', { meanSquareWeight, mostWeight });
    // D = sqrt(2 * 4 * log(20) / 100) = .489 5: bias^2 + 2 D bias against the .039 9 of variance that is saved.
    expect([choose(0.039, 4, 0), choose(0.04, 4, 0)]).toEqual([1, Infinity]);
    // D = 2 * 30 * log(20) / 300 = .599 1.
    expect([choose(0.032, 0, 30), choose(0.033, 0, 30)]).toEqual([1, Infinity]);
  });

  it('takes the largest lambda of members alike', () => {
    expect(
      madeUp([
        [1, 1, 1],
        [2, 1, 1],
        [5, 1, 1],
      ])('mse'),
    ).toBe(5);
  });
});

describe('on records', () => {
  /** Both rules as written down, from the records themselves. */
  const byHand = (grid: TuningGrid, rule: 'slope' | 'mse', sample: Sample): number => {
    const n = sample.size;
    const w = Array.from(sample.candidate, (e, i) => e / sample.logged[i]!);
    const members = grid.members.map(({ lambda, estimator }) => {
      const { value, variance } = textbook(estimator.name, sample);
      const missing = w.map(
        (one, i) => (one - estimator.weight(one)) * (sample.outcome[i]! - (estimator.model ? sample.predicted[i]! : 0)),
      );
      const bias = Math.abs(missing.reduce((sum, one) => sum + one, 0) / n);
      const square = w.reduce((sum, one) => sum + one * one, 0) / n;
      const bound = bias + Math.sqrt((2 * square * Math.log(20)) / n) + (2 * Math.max(...w) * Math.log(20)) / (3 * n);
      return { lambda, value, width: Math.sqrt(variance / (n - 1)) * studentQuantile(0.2, n - 1), error: variance / n + bound ** 2 };
    });
    if (rule === 'mse') {
      const least = Math.min(...members.map(({ error }) => error));
      return Math.max(...members.filter(({ error }) => error <= least * (1 + 1e-12)).map(({ lambda }) => lambda));
    }
    const order = members.toSorted((one, other) =>
      Math.abs(other.width - one.width) > 1e-12 ? other.width - one.width : one.lambda - other.lambda,
    );
    for (let i = 1; i < order.length; i++)
      for (let j = 0; j < i; j++)
        if (Math.abs(order[i]!.value - order[j]!.value) > order[i]!.width + (Math.sqrt(6) - 1) * order[j]!.width)
          return order[i - 1]!.lambda;
    return order.at(-1)!.lambda;
  };

  it('both rules choose what they say, for all grids', () => {
    const chosen = new Set<number>();
    for (const [seed, size] of [
      ['a', 60],
      ['b', 300],
      ['c', 1_000],
      ['d', 4_000],
    ] as const) {
      const sample = loggedSample(seed, size);
      const tally = openTally({ estimators: allEstimators });
      const diagnostics = openDiagnostics();
      tally.add(sample);
      diagnostics.add(sample);
      const [tallied, weights] = [tally.finish()!, diagnostics.finish()!];
      for (const grid of tuningGrids)
        for (const rule of ['slope', 'mse'] as const) {
          const { lambda, estimate } = tuned(grid, rule, tallied, weights);
          expect(lambda, `${grid.family} by ${rule} of ${size}`).toBe(byHand(grid, rule, sample));
          expect(estimate.estimator).toBe(grid.members.find((member) => member.lambda === lambda)!.estimator);
          chosen.add(lambda);
        }
    }
    expect(chosen.size).toBeGreaterThan(4);
  });

  it('a tally without the grid is a fault of the caller', () => {
    const tally = openTally({ estimators: allEstimators.slice(0, 3) });
    tally.add(loggedSample('few', 10));
    expect(() => tuned(tuningGrids[1]!, 'slope', tally.finish()!, { meanSquareWeight: 1, mostWeight: 1 })).toThrow(
      /expected a tally over the grid dr/,
    );
  });
});
