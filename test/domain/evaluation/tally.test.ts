import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Estimate } from '../../../src/domain/evaluation/estimate.ts';
import { allEstimators, type Estimator } from '../../../src/domain/evaluation/estimators.ts';
import type { Sample } from '../../../src/domain/evaluation/sample.ts';
import { openTally, type Tallied } from '../../../src/domain/evaluation/tally.ts';
import { loggedSample, part, trueValue } from '../support/logged-sample.ts';
import { textbook, type Textbook } from '../support/textbook.ts';

const tallyOf = (samples: readonly Sample[], estimators: readonly Estimator[] = allEstimators, mostGroups?: number): Tallied => {
  const tally = openTally({ estimators, ...(mostGroups === undefined ? {} : { mostGroups }) });
  samples.forEach(tally.add);
  return tally.finish()!;
};

const seen = (estimate: Estimate): Textbook => ({
  value: estimate.value,
  variance: estimate.terms.variance,
  least: estimate.leastTerm,
  most: estimate.mostTerm,
  influenceVariance: estimate.influenceVariance,
});

/** What differs from the textbook by more than 1e-12 of its size. */
const faults = (tallied: Tallied, sample: Sample): string[] =>
  [...tallied.estimates.entries()].flatMap(([name, estimate]) => {
    const [found, expected] = [seen(estimate), textbook(name, sample)];
    const keys = Object.keys(expected) as (keyof Textbook)[];
    return keys
      .filter((key) => !(Math.abs(found[key] - expected[key]) <= 1e-12 * Math.max(1, Math.abs(expected[key]))))
      .map((key) => `${name}: ${key} ${found[key]} for ${expected[key]}`);
  });

const sample = loggedSample('tally', 2_500);
const named = (name: string) => allEstimators.find((estimator) => estimator.name === name)!;

describe('a tally', () => {
  it('is what the textbook computes, for every estimator', () => {
    const tallied = tallyOf([sample]);
    expect(tallied.records).toBe(2_500);
    expect([...tallied.estimates.keys()]).toEqual(allEstimators.map(({ name }) => name));
    expect(faults(tallied, sample)).toEqual([]);
  });

  it.each<[string, Estimator]>([
    ['not normalised', { ...named('snipw'), normalised: false }],
    ['normalised', { ...named('ipw'), normalised: true }],
    ['of the wrong sign', { ...named('dr'), weight: (w) => -w }],
    ['without its model', { ...named('dr'), model: false }],
    ['clipped elsewhere', { ...named('ipw_clip2'), weight: (w) => Math.min(w, 2.000_001) }],
    ['that keeps what it should cut', { ...named('switch-dr_5'), weight: (w) => Math.min(w, 5) }],
    ['shrunk by lambda squared', { ...named('dr-os_5'), weight: (w) => (25 * w) / (w * w + 25) }],
    ['weighed the other way', { ...named('sg-ipw_0.1'), weight: (w) => w / (0.1 + 0.9 * w) }],
  ])('of an estimator %s is not', (_what, estimator) => {
    expect(faults(tallyOf([sample], [estimator]), sample).length).toBeGreaterThan(0);
  });

  it('finds the truth where theory says so: IPW and DR do, the model alone and clipping at 1 do not', () => {
    // Fixed seed; 40,000 records: the unbiased ones are within 4 standard errors with probability 0.999 9.
    const { estimates } = tallyOf([loggedSample('truth', 40_000)]);
    const errors = (name: string) => {
      const { value, influenceVariance } = estimates.get(name)!;
      return Math.abs(value - trueValue) / Math.sqrt(influenceVariance / 40_000);
    };
    for (const name of ['ipw', 'snipw', 'dr', 'sndr']) expect(errors(name), name).toBeLessThan(4);
    for (const name of ['dm', 'ipw_clip1', 'switch-dr_1']) expect(errors(name), name).toBeGreaterThan(4);
    expect(estimates.get('dr')!.terms.variance).toBeLessThan(estimates.get('ipw')!.terms.variance);
  });

  it('does not depend, to the last digit, on how the log is cut into samples', () => {
    const whole = tallyOf([sample]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: sample.size }), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((one, other) => one - other), sample.size];
        expect(tallyOf(at.slice(1).map((to, i) => part(sample, at[i]!, to)))).toEqual(whole);
      }),
      { seed: 1, numRuns: 10 },
    );
  });

  it('is nothing without records, and leaves out what has no weight to normalise by', () => {
    expect(openTally({ estimators: allEstimators }).finish()).toBeNull();
    const unlike = { ...part(sample, 0, 5), candidate: new Float64Array(5) };
    const { estimates } = tallyOf([unlike], ['ipw', 'snipw', 'dr', 'sndr'].map(named));
    expect([...estimates.keys()]).toEqual(['ipw', 'dr']);
    expect(estimates.get('ipw')).toMatchObject({ value: 0, terms: { variance: 0 } });
  });

  it('of one record, and of records that are all alike, has no variance', () => {
    for (const size of [1, 3_000]) {
      const alike: Sample = {
        ...loggedSample('alike', size),
        outcome: new Float64Array(size).fill(0.1),
        logged: new Float64Array(size).fill(0.3),
        candidate: new Float64Array(size).fill(0.7),
      };
      const estimate = tallyOf([alike], [named('ipw')]).estimates.get('ipw')!;
      expect(estimate).toMatchObject({ value: (0.7 / 0.3) * 0.1, terms: { count: size, variance: 0 } });
    }
  });
});

describe('sums by group', () => {
  const valueOf = ({ sums: { plain, normalised } }: Estimate, sizes: Float64Array, groups: readonly number[]): number => {
    const over = (column: Float64Array) => groups.reduce((sum, group) => sum + column[group]!, 0);
    return over(plain) / over(sizes) + (normalised === null ? 0 : over(normalised.weighted) / over(normalised.weights));
  };

  it('give the value of any collection of clusters, each a group of its own while they fit', () => {
    const { estimates, groupSizes } = tallyOf([sample]);
    expect(groupSizes).toHaveLength(834);
    // Clusters 0, 100 and 833 are records 0-2, 300-302 and 2499.
    const chosen = [0, 1, 2, 300, 301, 302, 2_499];
    const subset = chosen.map((i) => part(sample, i, i + 1));
    const expected = tallyOf(subset);
    for (const [name, estimate] of estimates)
      expect(valueOf(estimate, groupSizes, [0, 100, 833]), name).toBeCloseTo(expected.estimates.get(name)!.value, 12);
  });

  it('are of their own as long as there are as many groups as clusters', () => {
    const sizes = (mostGroups: number) => tallyOf([sample], [named('ipw')], mostGroups).groupSizes;
    expect([Math.max(...sizes(834)), sizes(834).length]).toEqual([3, 834]);
    expect([Math.max(...sizes(833)) > 3, sizes(833).length]).toEqual([true, 128]);
  });

  it('share a quarter of the groups by hash when there are more clusters: nothing is lost, and a cluster stays together', () => {
    const { estimates, groupSizes } = tallyOf([part(sample, 0, 1_000), part(sample, 1_000, 2_500)], allEstimators, 64);
    expect(groupSizes).toHaveLength(16);
    expect(groupSizes.reduce((sum, size) => sum + size)).toBe(2_500);
    // All clusters but the last have three records.
    expect(groupSizes.filter((size) => size % 3 === 0)).toHaveLength(15);
    expect(Math.min(...groupSizes)).toBeGreaterThan(0);
    const all = Array.from(groupSizes.keys());
    for (const [name, estimate] of estimates) expect(valueOf(estimate, groupSizes, all), name).toBeCloseTo(estimate.value, 12);
  });

  it('tell how many clusters of equal size would be as even, also where clusters share groups', () => {
    // 40 clusters of 100 records, and 10,000 of one: 14,000^2 / (40 x 100^2 + 10,000) = 478.
    const clusters = Uint32Array.from({ length: 14_000 }, (_, i) => (i < 4_000 ? i % 40 : i));
    const uneven = { ...part(sample, 0, 0), size: 14_000, cluster: clusters };
    const floats = (value: number) => new Float64Array(14_000).fill(value);
    const columns = {
      outcome: floats(1),
      logged: floats(0.5),
      candidate: floats(0.5),
      predicted: floats(0),
      expected: floats(0),
      unsupported: floats(0),
      weightLimit: floats(Infinity),
    };
    const effective = (mostGroups: number) => tallyOf([{ ...uneven, ...columns }], [named('ipw')], mostGroups).effectiveClusters;
    expect(effective(16_384)).toBeCloseTo(14_000 ** 2 / (40 * 100 ** 2 + 10_000), 9);
    expect(effective(8_192) / effective(16_384)).toBeGreaterThan(0.9);
    expect(effective(8_192) / effective(16_384)).toBeLessThan(1.1);
    expect(tallyOf([sample], [named('ipw')]).effectiveClusters).toBeCloseTo(2_500 ** 2 / (833 * 9 + 1), 9);
  });

  it('are moved with their clusters: before and after the groups ran out, sums are of the same records', () => {
    // The first 1,024 records, 342 clusters, are summed before the 401st comes; in the other order others are.
    const forwards = tallyOf([sample], allEstimators, 400);
    const backwards = tallyOf([part(sample, 1_200, 2_500), part(sample, 0, 1_200)], allEstimators, 400);
    expect(forwards.groupSizes).toHaveLength(64);
    expect(backwards.groupSizes).toEqual(forwards.groupSizes);
    const columns = ({ sums: { plain, normalised } }: Estimate) => [plain, ...(normalised === null ? [] : Object.values(normalised))];
    for (const [name, estimate] of forwards.estimates)
      columns(estimate).forEach((column, i) => {
        const other = columns(backwards.estimates.get(name)!)[i]!;
        const worst = Math.max(...column.map((sum, group) => Math.abs(sum - other[group]!)));
        expect(worst, name).toBeLessThan(1e-9);
      });
  });
});
