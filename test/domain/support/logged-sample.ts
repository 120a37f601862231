import type { Sample } from '../../../src/domain/evaluation/sample.ts';
import { seededRandom } from '../../../src/domain/random.ts';

/** Probabilities of four actions in three contexts: what the logger did, what the candidate would do. The candidate never takes the last action in the first context. */
const logging = [
  [0.7, 0.2, 0.09, 0.01],
  [0.25, 0.25, 0.25, 0.25],
  [0.02, 0.08, 0.3, 0.6],
] as const;
const candidate = [
  [0.05, 0.15, 0.8, 0],
  [0.1, 0.2, 0.3, 0.4],
  [0.6, 0.2, 0.1, 0.1],
] as const;
const successes = [
  [0.2, 0.4, 0.6, 0.8],
  [0.5, 0.1, 0.3, 0.2],
  [0.7, 0.9, 0.4, 0.3],
] as const;
/** A reward model that is off by up to 0.2. */
const model = [
  [0.3, 0.3, 0.5, 0.9],
  [0.4, 0.2, 0.3, 0.3],
  [0.6, 0.7, 0.5, 0.2],
] as const;

const sumOver = (one: readonly number[], other: readonly number[]): number => one.reduce((sum, value, i) => sum + value * other[i]!, 0);

/** Mean outcome of the candidate, contexts equally frequent. */
export const trueValue = candidate.reduce((sum, shares, x) => sum + sumOver(shares, successes[x]!) / 3, 0);

/** Records of this log, in conversations of three. Outcomes are success plus a little noise, so that no two are alike. */
export const loggedSample = (seed: string, size: number): Sample => {
  const random = seededRandom(seed);
  const sample = {
    size,
    outcome: new Float64Array(size),
    logged: new Float64Array(size),
    candidate: new Float64Array(size),
    predicted: new Float64Array(size),
    expected: new Float64Array(size),
    unsupported: new Float64Array(size),
    weightLimit: new Float64Array(size).fill(Infinity),
    cluster: Uint32Array.from({ length: size }, (_, i) => Math.floor(i / 3)),
  };
  for (let i = 0; i < size; i++) {
    const x = Math.floor(3 * random());
    let draw = random();
    let action = 0;
    while (action < 3 && draw >= logging[x]![action]!) draw -= logging[x]![action++]!;
    sample.outcome[i] = (random() < successes[x]![action]! ? 1 : 0) + 0.1 * (random() - 0.5);
    sample.logged[i] = logging[x]![action]!;
    sample.candidate[i] = candidate[x]![action]!;
    sample.predicted[i] = model[x]![action]!;
    sample.expected[i] = sumOver(candidate[x]!, model[x]!);
  }
  return sample;
};

/** Records from..to of a sample. */
export const part = (sample: Sample, from: number, to: number): Sample => ({
  size: to - from,
  outcome: sample.outcome.slice(from, to),
  logged: sample.logged.slice(from, to),
  candidate: sample.candidate.slice(from, to),
  predicted: sample.predicted.slice(from, to),
  expected: sample.expected.slice(from, to),
  unsupported: sample.unsupported.slice(from, to),
  weightLimit: sample.weightLimit.slice(from, to),
  cluster: sample.cluster.slice(from, to),
});
