import type { Sample } from '../../domain/evaluation/sample.ts';
import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { Candidate, Weighing } from './candidate.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import type { Drawn } from './drawn.ts';
import { quantities } from './quantities.ts';
import type { RewardModel } from './reward-model.ts';
import { textHash } from '../text-hash.ts';

/** A page of records as columns: what is the same for all candidates. */
export type Page = {
  /** Those with an outcome: all else is about them. */
  readonly decisions: readonly LoggedDecision[];
  /** Beside them those of which nothing came, in the order of the log. */
  readonly asked: readonly LoggedDecision[];
  readonly logged: Float64Array;
  readonly cluster: Uint32Array;
  /** Of each quantity a value for each record; NaN where it was not measured. */
  readonly outcomes: readonly Float64Array[];
};

/** What one candidate makes of a page. */
export type WeighedPage = {
  /** What the candidate would choose for each record. */
  readonly weighings: readonly Weighing[];
  readonly candidate: Float64Array;
  readonly unsupported: Float64Array;
  /** Of the weight, given the logged probabilities of all arms; NaN where the log holds the chosen one's alone. */
  readonly weightVariance: Float64Array;
  /** As in `Sample`. */
  readonly weightLimit: Float64Array;
  readonly accepted: Uint8Array | null;
  /** 1 where the candidate has a say (`Weighing.asLogged`); null: everywhere. */
  readonly own: Uint8Array | null;
  /** Weights of the decisions of which nothing came. */
  readonly censored: readonly number[];
  /** By quantity, as in `Sample`. */
  readonly predicted: readonly Float64Array[];
  readonly expected: readonly Float64Array[];
  /** What the model expects of the logger itself; of the logged arm, where the log does not say what else could have been chosen. */
  readonly expectedOfLogger: readonly Float64Array[];
};

const count = quantities.length;
const columns = (size: number): readonly Float64Array[] => quantities.map(() => new Float64Array(size));

export const pageOf = (asked: readonly LoggedDecision[], weights: RewardWeights | null): Page => {
  const decisions = asked.filter(({ outcome }) => outcome !== null);
  const outcomes = columns(decisions.length);
  const logged = new Float64Array(decisions.length);
  const cluster = new Uint32Array(decisions.length);
  decisions.forEach(({ outcome, propensity, cluster: name }, i) => {
    logged[i] = propensity;
    cluster[i] = textHash(name);
    quantities.forEach(({ of }, quantity) => {
      const column = outcomes[quantity];
      if (column !== undefined) column[i] = outcome === null ? NaN : (of(outcome, weights) ?? NaN);
    });
  });
  return { decisions, asked, logged, cluster, outcomes };
};

export const teach = (model: RewardModel, page: Page): void => {
  const values = new Float64Array(count);
  page.decisions.forEach(({ arm, cells }, i) => {
    valuesAt(page, i, values);
    model.add(model.armOf(arm), model.cellsOf(cells), model.foldOf(page.cluster[i] ?? 0), values);
  });
};

/** `learns`: the model takes in each record once it has predicted it. `drawn`: what the log ever drew, for records that do not name their candidates; null: not known. */
export const weighPage = async (
  page: Page,
  candidates: readonly Candidate[],
  model: RewardModel | null,
  { learns, drawn = null }: { readonly learns: boolean; readonly drawn?: Drawn | null },
): Promise<readonly WeighedPage[]> => {
  const weighings: (readonly Weighing[])[] = [];
  const censored: (readonly number[])[] = [];
  for (const candidate of candidates) {
    const all = await candidate.weigh(page.asked);
    weighings.push(all.filter((_, i) => page.asked[i]?.outcome !== null));
    censored.push(censoredWeights(page.asked, all));
  }
  const expectedOfLogger = columns(page.decisions.length);
  const weighed = weighings.map((of, k) => emptyWeighed(page.decisions.length, of, expectedOfLogger, censored[k] ?? []));
  const predictions = model === null ? null : openPredictions(model);
  const values = new Float64Array(count);
  page.decisions.forEach((decision, i) => {
    const chain = model?.cellsOf(decision.cells) ?? [];
    const fold = model?.foldOf(page.cluster[i] ?? 0) ?? 0;
    predictions?.begin(chain, fold);
    for (const [k, into] of weighed.entries()) {
      const weighing = weighings[k]?.[i];
      if (weighing !== undefined) weighRecord(decision, i, weighing, into, predictions, drawn);
    }
    if (model === null || predictions === null) return;
    expectLogger(decision, i, expectedOfLogger, predictions);
    if (!learns) return;
    valuesAt(page, i, values);
    model.add(model.armOf(decision.arm), chain, fold, values);
  });
  return weighed;
};

const censoredWeights = (asked: readonly LoggedDecision[], weighings: readonly Weighing[]): readonly number[] => {
  const weights: number[] = [];
  for (const [i, { outcome, arm, propensity }] of asked.entries()) {
    if (outcome !== null) continue;
    const { arms = [], probabilities = [], accepted } = weighings[i] ?? {};
    weights.push(accepted === undefined ? (probabilities[arms.indexOf(arm)] ?? 0) / propensity : accepted ? 1 : 0);
  }
  return weights;
};

const emptyWeighed = (
  size: number,
  weighings: readonly Weighing[],
  expectedOfLogger: readonly Float64Array[],
  censored: readonly number[],
): WeighedPage => ({
  weighings,
  candidate: new Float64Array(size),
  unsupported: new Float64Array(size),
  weightVariance: new Float64Array(size),
  weightLimit: new Float64Array(size),
  accepted: weighings.some(({ accepted }) => accepted !== undefined)
    ? Uint8Array.from(weighings, ({ accepted }) => (accepted === true ? 1 : 0))
    : null,
  own: weighings.some(({ asLogged }) => asLogged === true)
    ? Uint8Array.from(weighings, ({ asLogged }) => (asLogged === true ? 0 : 1))
    : null,
  censored,
  predicted: columns(size),
  expected: columns(size),
  expectedOfLogger,
});

const expectLogger = ({ arm, candidates }: LoggedDecision, i: number, into: readonly Float64Array[], predictions: Predictions): void => {
  if (candidates === null) {
    predictions.addTo(into, i, predictions.numberOf(arm), 1);
    return;
  }
  const numbers = predictions.numbersOf(candidates.arms);
  for (let k = 0; k < numbers.length; k++) predictions.addTo(into, i, numbers[k] ?? 0, candidates.propensities[k] ?? 0);
};

const weighRecord = (
  decision: LoggedDecision,
  i: number,
  { arms, probabilities }: Weighing,
  into: WeighedPage,
  predictions: Predictions | null,
  drawn: Drawn | null,
): void => {
  const { arm, propensity, candidates } = decision;
  let supported = 0;
  let square = 0;
  let limit = 0;
  const numbers = predictions?.numbersOf(arms);
  for (let k = 0; k < arms.length; k++) {
    const probability = probabilities[k] ?? 0;
    if (probability === 0) continue;
    if (arms[k] === arm) into.candidate[i] = probability;
    const p = candidates === null ? null : propensityOf(candidates, arms[k] ?? '');
    if (p === null ? drawn === null || drawn.has(decision, arms[k] ?? '') : p > 0) supported += probability;
    if (p !== null && p > 0) {
      square += probability ** 2 / p;
      limit = Math.max(limit, probability / p);
    }
    if (predictions !== null) predictions.addTo(into.expected, i, numbers?.[k] ?? 0, probability);
  }
  // Rounding leaves what is no probability.
  const missed = 1 - supported;
  into.weightVariance[i] = candidates === null ? NaN : Math.max(0, square - supported ** 2);
  into.weightLimit[i] = candidates === null ? Infinity : Math.max(limit, (into.candidate[i] ?? 0) / propensity);
  into.unsupported[i] = missed > 1e-9 ? Math.min(1, missed) : 0;
  predictions?.addTo(into.predicted, i, predictions.numberOf(arm), 1);
};

const propensityOf = ({ arms, propensities }: NonNullable<LoggedDecision['candidates']>, arm: string): number =>
  propensities[arms.indexOf(arm)] ?? 0;

/** What the model expects of the arms for one record, each worked out once for all candidates. */
type Predictions = {
  readonly begin: (chain: readonly number[], fold: number) => void;
  readonly numberOf: (arm: string) => number;
  readonly numbersOf: (arms: readonly string[]) => readonly number[];
  /** Adds share times q of each quantity to entry i of its column. */
  readonly addTo: (columns: readonly Float64Array[], i: number, arm: number, share: number) => void;
};

const openPredictions = (model: RewardModel): Predictions => {
  const numbers = new WeakMap<readonly string[], readonly number[]>();
  let made = new Float64Array(64 * count);
  let madeFor = new Float64Array(64);
  let record = 0;
  let chain: readonly number[] = [];
  let fold = 0;
  return {
    begin: (of, inFold) => {
      [chain, fold] = [of, inFold];
      record++;
    },
    numberOf: model.armOf,
    numbersOf: (arms) => {
      const found = numbers.get(arms);
      if (found !== undefined) return found;
      const mapped = arms.map(model.armOf);
      numbers.set(arms, mapped);
      return mapped;
    },
    addTo: (into, i, arm, share) => {
      if (arm >= madeFor.length) [made, madeFor] = [new Float64Array(2 * (arm + 1) * count), new Float64Array(2 * (arm + 1))];
      if (madeFor[arm] !== record) {
        model.predict(arm, chain, fold, made, arm * count);
        madeFor[arm] = record;
      }
      for (let quantity = 0; quantity < count; quantity++) {
        const column = into[quantity];
        if (column !== undefined) column[i] = (column[i] ?? 0) + share * (made[arm * count + quantity] ?? 0);
      }
    },
  };
};

const valuesAt = ({ outcomes }: Page, i: number, into: Float64Array): void => {
  for (let quantity = 0; quantity < count; quantity++) into[quantity] = outcomes[quantity]?.[i] ?? NaN;
};

/** The records of a page in which a quantity was measured, as a sample, what the model expected of the logger in each, the variance of its weight, and where the candidate has a say. */
export type PageSample = Sample & {
  readonly expectedOfLogger: Float64Array;
  readonly weightVariance: Float64Array;
  readonly own: Uint8Array | null;
};

export const sampleOf = (page: Page, weighed: WeighedPage, quantity: number): PageSample => {
  const outcome = page.outcomes[quantity] ?? new Float64Array(0);
  const sample: PageSample = {
    size: outcome.length,
    outcome,
    logged: page.logged,
    candidate: weighed.candidate,
    predicted: weighed.predicted[quantity] ?? new Float64Array(outcome.length),
    expected: weighed.expected[quantity] ?? new Float64Array(outcome.length),
    expectedOfLogger: weighed.expectedOfLogger[quantity] ?? new Float64Array(outcome.length),
    unsupported: weighed.unsupported,
    weightLimit: weighed.weightLimit,
    weightVariance: weighed.weightVariance,
    own: weighed.own,
    cluster: page.cluster,
  };
  return outcome.some(Number.isNaN) ? picked(sample, (i) => !Number.isNaN(outcome[i])) : sample;
};

/** The records in which the candidate has a say. */
export const ownRecords = (sample: PageSample): PageSample => (sample.own === null ? sample : picked(sample, (i) => sample.own?.[i] === 1));

const picked = (sample: PageSample, isPicked: (i: number) => boolean): PageSample => {
  const indices: number[] = [];
  for (let i = 0; i < sample.size; i++) if (isPicked(i)) indices.push(i);
  const floats = (column: Float64Array): Float64Array => Float64Array.from(indices, (i) => column[i] ?? 0);
  return {
    size: indices.length,
    outcome: floats(sample.outcome),
    logged: floats(sample.logged),
    candidate: floats(sample.candidate),
    predicted: floats(sample.predicted),
    expected: floats(sample.expected),
    expectedOfLogger: floats(sample.expectedOfLogger),
    unsupported: floats(sample.unsupported),
    weightLimit: floats(sample.weightLimit),
    weightVariance: floats(sample.weightVariance),
    own: sample.own === null ? null : Uint8Array.from(indices, (i) => sample.own?.[i] ?? 0),
    cluster: Uint32Array.from(indices, (i) => sample.cluster[i] ?? 0),
  };
};
