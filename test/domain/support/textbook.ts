import type { Sample } from '../../../src/domain/evaluation/sample.ts';

/** The estimators as textbooks write them, one formula each, on whole lists and in several passes: nothing of it is shared with the code under test. */
export type Textbook = {
  readonly value: number;
  readonly variance: number;
  readonly least: number;
  readonly most: number;
  /** Of the linearised terms. */
  readonly influenceVariance: number;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const center = mean(values);
  return mean(values.map((value) => (value - center) ** 2));
};

export const textbook = (name: string, sample: Sample): Textbook => {
  const r = [...sample.outcome];
  const q = [...sample.predicted];
  const d = [...sample.expected];
  const w = r.map((_, i) => sample.candidate[i]! / sample.logged[i]!);
  const total = w.reduce((sum, one) => sum + one, 0);
  const n = r.length;

  const [kind, number] = name.split(/_(?:clip)?/) as [string, string | undefined];
  const lambda = Number(number);
  const ofTerms = (terms: readonly number[], influences: readonly number[] = terms): Textbook => ({
    value: mean(terms),
    variance: variance(terms),
    least: Math.min(...terms),
    most: Math.max(...terms),
    influenceVariance: variance(influences),
  });
  const one = (formula: (i: number) => number): Textbook => ofTerms(r.map((_, i) => formula(i)));

  switch (kind) {
    case 'ipw':
      return Number.isNaN(lambda) ? one((i) => w[i]! * r[i]!) : one((i) => (w[i]! > lambda ? lambda : w[i]!) * r[i]!);
    case 'snipw': {
      const value = r.reduce((sum, reward, i) => sum + w[i]! * reward, 0) / total;
      return ofTerms(
        r.map((reward, i) => (n * w[i]! * reward) / total),
        r.map((reward, i) => (n * w[i]! * (reward - value)) / total),
      );
    }
    case 'dm':
      return one((i) => d[i]!);
    case 'dr':
      return Number.isNaN(lambda)
        ? one((i) => d[i]! + w[i]! * (r[i]! - q[i]!))
        : one((i) => d[i]! + (w[i]! > lambda ? lambda : w[i]!) * (r[i]! - q[i]!));
    case 'sndr': {
      const correction = r.reduce((sum, reward, i) => sum + w[i]! * (reward - q[i]!), 0) / total;
      return ofTerms(
        r.map((reward, i) => d[i]! + (n * w[i]! * (reward - q[i]!)) / total),
        r.map((reward, i) => d[i]! + (n * w[i]! * (reward - q[i]! - correction)) / total),
      );
    }
    case 'switch-dr':
      return one((i) => (w[i]! > lambda ? d[i]! : d[i]! + w[i]! * (r[i]! - q[i]!)));
    case 'dr-os':
      return one((i) => d[i]! + (r[i]! - q[i]!) / (w[i]! / lambda + 1 / w[i]!));
    case 'sg-ipw':
      return one((i) => r[i]! / ((1 - lambda) / w[i]! + lambda));
    default:
      throw new Error(`no formula for ${name}`);
  }
};
