import { pick, withFloors } from '../../src/domain/routing/draw.ts';
import { propensities } from '../../src/domain/routing/propensities.ts';
import { seededRandom } from '../../src/domain/random.ts';
import type { Sample } from '../../src/domain/evaluation/sample.ts';

/** A log of a Beta-Bernoulli Thompson sampler that learns from each of its records (it weighs the arms again after every tenth), and what the candidate would have earned. */
export type ThompsonLog = { readonly sample: Sample; readonly value: number };

export type ThompsonLogOptions = {
  /** Chance of success by arm; of two, the second from the middle of the log on. */
  readonly means: readonly number[] | readonly [readonly number[], readonly number[]];
  /** The candidate's probability of each arm, at every record. */
  readonly candidate: readonly number[];
  readonly records: number;
  readonly floor?: number;
};

export const thompsonLog = (seed: string, { means, candidate, records, floor = 0.02 }: ThompsonLogOptions): ThompsonLog => {
  const random = seededRandom(seed);
  const phases = (typeof means[0] === 'number' ? [means, means] : means) as readonly (readonly number[])[];
  const seen = candidate.map(() => ({ alpha: 1, beta: 1 }));
  const sample = emptySample(records);
  let shares: readonly number[] = [];
  let value = 0;
  for (let i = 0; i < records; i++) {
    const chances = phases[i < records / 2 ? 0 : 1]!;
    if (i % 10 === 0)
      shares = withFloors(
        [...propensities(seen)],
        candidate.map(() => floor),
      );
    const arm = pick(shares, random());
    const success = random() < chances[arm]!;
    seen[arm]![success ? 'alpha' : 'beta']++;
    sample.outcome[i] = success ? 1 : 0;
    sample.logged[i] = shares[arm]!;
    sample.candidate[i] = candidate[arm]!;
    sample.weightLimit[i] = Math.max(...shares.map((share, a) => candidate[a]! / share));
    sample.cluster[i] = i;
    value += candidate.reduce((sum, probability, a) => sum + probability * chances[a]!, 0) / records;
  }
  return { sample, value };
};

export const emptySample = (size: number): Sample => ({
  size,
  outcome: new Float64Array(size),
  logged: new Float64Array(size),
  candidate: new Float64Array(size),
  predicted: new Float64Array(size),
  expected: new Float64Array(size),
  unsupported: new Float64Array(size),
  weightLimit: new Float64Array(size).fill(Infinity),
  cluster: new Uint32Array(size),
});

/** Records `from` up to `to`, as a view. */
export const partOf = (sample: Sample, from: number, to: number): Sample => ({
  size: to - from,
  outcome: sample.outcome.subarray(from, to),
  logged: sample.logged.subarray(from, to),
  candidate: sample.candidate.subarray(from, to),
  predicted: sample.predicted.subarray(from, to),
  expected: sample.expected.subarray(from, to),
  unsupported: sample.unsupported.subarray(from, to),
  weightLimit: sample.weightLimit.subarray(from, to),
  cluster: sample.cluster.subarray(from, to),
});
