import { describe, expect, it } from 'vitest';
import { bernsteinLower, studentLower } from '../../../src/domain/evaluation/bounds.ts';
import { openDiagnostics } from '../../../src/domain/evaluation/diagnostics.ts';
import { allEstimators, defaultEstimators, tuningGrids } from '../../../src/domain/evaluation/estimators.ts';
import { openTally } from '../../../src/domain/evaluation/tally.ts';
import { tuned } from '../../../src/domain/evaluation/tuning.ts';
import { openBanditSample, readGolden } from '../support/open-bandit.ts';

/** Where the folder of the data set `openbandit-men` is, all that was computed of its two logs elsewhere is the measure, both ways: within 1e-12, and what is above 1 within 1e-12 of itself. */
const folder = process.env['SWITCHYARD_OPENBANDIT_DATA'];

const expectNumbers = (seen: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>) => {
  for (const [name, number] of Object.entries(seen)) {
    const error = Math.abs(number - expected[name]!);
    expect(
      error <= 1e-12 * Math.max(1, Math.abs(expected[name]!)) || number === expected[name],
      `${name}: ${number} for ${expected[name]!}`,
    ).toBe(true);
  }
};

describe.skipIf(folder === undefined).each([
  ['random', 'men:random->bts'],
  ['bts', 'men:bts->random'],
] as const)('the log of %s, the other policy as candidate', (logger, direction) => {
  const evaluate = () => {
    const golden = readGolden(folder!);
    const sample = openBanditSample(folder!, golden, logger);
    const tally = openTally({ estimators: allEstimators });
    const diagnostics = openDiagnostics();
    tally.add(sample);
    diagnostics.add(sample);
    return { golden, tallied: tally.finish()!, weights: diagnostics.finish()! };
  };

  it('gives every number of the estimators', () => {
    const { golden, tallied } = evaluate();
    const { n, clicks_behavior, on_policy_value, estimators } = golden[direction];
    expect(Object.keys(estimators).toSorted()).toEqual(defaultEstimators.map(({ name }) => name).toSorted());
    expect(tallied.records).toBe(n);
    for (const [name, expected] of Object.entries(estimators)) {
      const { value, terms, mostTerm } = tallied.estimates.get(name)!;
      const seen = {
        value,
        rel_to_behavior: value / (clicks_behavior / n),
        relative_ee: Math.abs(value - on_policy_value) / on_policy_value,
        student_t_lower_5pct: studentLower(terms, 0.05),
        bernstein_lower_5pct: bernsteinLower(terms, 0.05, mostTerm),
      };
      expectNumbers(seen, expected);
    }
  });

  it('gives the diagnostics of the weights', () => {
    const { golden, weights } = evaluate();
    const { w_mean, w_max, ess } = golden[direction];
    expectNumbers({ w_mean: weights.meanWeight, w_max: weights.mostWeight, ess: weights.effectiveSize }, { w_mean, w_max, ess });
  });

  it('gives the tuned ones, lambda and value', () => {
    const { golden, tallied, weights } = evaluate();
    const expected = golden['tuned lambdas [1,2,5,10,50,100,500,1000,5000,10000,inf]'][direction];
    const { on_policy_value } = golden[direction];
    const names = tuningGrids.flatMap((grid) =>
      (['slope', 'mse'] as const).map((rule) => {
        const { lambda, estimate } = tuned(grid, rule, tallied, weights);
        const name = `${grid.family}_${rule}`;
        expectNumbers(
          { lambda, value: estimate.value, relative_ee: Math.abs(estimate.value - on_policy_value) / on_policy_value },
          expected[name]!,
        );
        return name;
      }),
    );
    expect(names.toSorted()).toEqual(Object.keys(expected).toSorted());
  });
});
