import type { Estimate as TalliedEstimate } from '../../domain/evaluation/estimate.ts';
import { allEstimators, defaultEstimators, tuningGrids, type Estimator } from '../../domain/evaluation/estimators.ts';
import type { Diagnostics } from '../../domain/evaluation/diagnostics.ts';
import { openBettingSequence } from '../../domain/evaluation/intervals/betting.ts';
import type { Interval as Ends } from '../../domain/evaluation/intervals/interval.ts';
import type { Sample } from '../../domain/evaluation/sample.ts';
import { ofOwnClusters, openTally, type Tallied } from '../../domain/evaluation/tally.ts';
import { tuned } from '../../domain/evaluation/tuning.ts';
import { contrast, half } from './contrast.ts';
import type { PageSample } from './evaluated-page.ts';
import type { Quantity } from './quantities.ts';
import type { Method, Tuning } from './report.ts';

/** One quantity of one candidate: all estimators, the difference to the logger, and the sequences by betting, in one pass. */
export type QuantityTally = {
  readonly add: (sample: PageSample) => void;
  /** Null where the quantity was never measured. `isClustered`: several records belong to one cluster. */
  readonly finish: (options: { readonly isClustered: boolean }) => QuantityResult | null;
};

export type QuantityResult = {
  readonly records: number;
  readonly recommended: string;
  readonly tallied: Tallied;
  /** Of the values that estimates and intervals are made from, each under a name of its own: two rules may choose the same estimator. */
  readonly estimates: readonly { readonly found: TalliedEstimate; readonly label: string; readonly tunedBy: Tuning | null }[];
  readonly value: Ends | null | 'none';
  /** Of rejection replay: the value at half the level of a comparison. */
  readonly valueAtHalf: Ends | null | 'none';
  readonly difference: { readonly found: TalliedEstimate; readonly tallied: Tallied; readonly betting: Ends | null | 'none' } | null;
};

export type Levels = { readonly alpha: number; readonly alphaEach: number; readonly largestWeight: number | null };

export const openQuantityTally = (
  quantity: Quantity,
  options: Levels & {
    readonly hasModel: boolean;
    readonly method: Method['name'];
    readonly isTuned: boolean;
    readonly weights: () => Diagnostics | null;
  },
): QuantityTally => {
  const { alpha, alphaEach, largestWeight, hasModel, method, isTuned } = options;
  const isRejection = method === 'rejection-replay';
  const recommended = estimatorNamed(isRejection ? 'snipw' : hasModel ? 'dr' : 'ipw');
  const usable = ({ model }: Estimator): boolean => hasModel || !model;
  const wanted = (isTuned ? allEstimators : basic).filter(usable);
  const tally = openTally({ estimators: isRejection ? [recommended] : wanted });
  const differences = isRejection ? null : openTally({ estimators: [recommended] });
  const limit = largestWeight === null ? {} : { largestWeight };
  const halfLimit = largestWeight === null ? {} : { largestWeight: (1 + largestWeight) / 2 };
  const betting = quantity.bounded ? openBettingSequence({ alpha, ...(isRejection ? { largestWeight: 1 } : limit) }) : null;
  const atHalf = quantity.bounded && isRejection ? openBettingSequence({ alpha: alphaEach / 2, largestWeight: 1 }) : null;
  const bettingDifference = quantity.bounded && !isRejection ? openBettingSequence({ alpha: alphaEach, ...halfLimit }) : null;

  const estimatesOf = (tallied: Tallied): QuantityResult['estimates'] => {
    if (isRejection) return [...tallied.estimates.values()].map(untuned);
    const names = (isTuned ? defaultEstimators : basic).filter(usable).map(({ name }) => name);
    const plain = names.flatMap((name) => tallied.estimates.get(name) ?? []).map(untuned);
    const weights = options.weights();
    if (!isTuned || weights === null) return plain;
    const chosen = tuningGrids
      .filter(({ members }) => members.every(({ estimator }) => usable(estimator)))
      .flatMap((grid) =>
        (['slope', 'mse'] as const).map((rule) => {
          const { estimate, lambda } = tuned(grid, rule, tallied, weights);
          const tunedBy = { family: grid.family, rule, lambda: Number.isFinite(lambda) ? lambda : null };
          return { found: estimate, label: `${grid.family} (${rule})`, tunedBy };
        }),
      );
    return [...plain, ...chosen];
  };
  return {
    add: (sample) => {
      tally.add(sample);
      differences?.add(contrast(sample));
      const played = isRejection ? acceptedOnly(sample) : sample;
      betting?.add(played);
      atHalf?.add(played);
      bettingDifference?.add(half(sample));
    },
    finish: ({ isClustered }) => {
      const spread = (tallied: Tallied | null): Tallied | null => (tallied === null || isClustered ? tallied : ofOwnClusters(tallied));
      const tallied = spread(tally.finish());
      if (tallied === null) return null;
      const difference = spread(differences?.finish() ?? null);
      const found = difference?.estimates.get(recommended.name);
      return {
        records: tallied.records,
        recommended: recommended.name,
        tallied,
        estimates: estimatesOf(tallied),
        value: betting === null ? 'none' : betting.interval(),
        valueAtHalf: atHalf === null ? 'none' : atHalf.interval(),
        difference:
          found === undefined || difference === null
            ? null
            : { found, tallied: difference, betting: bettingDifference === null ? 'none' : doubled(bettingDifference.interval()) },
      };
    },
  };
};

const estimatorNamed = (name: string): Estimator => {
  const found = defaultEstimators.find((estimator) => estimator.name === name);
  if (found === undefined) throw new TypeError(`no estimator is called ${name}`);
  return found;
};

const untuned = (found: TalliedEstimate) => ({ found, label: found.estimator.name, tunedBy: null });

const basic = ['ipw', 'snipw', 'dm', 'dr', 'sndr'].map(estimatorNamed);

/** Records of weight 0 were not accepted; of the others the outcome is that of the candidate's own decision. */
const acceptedOnly = (sample: Sample): Sample => {
  const indices = Array.from({ length: sample.size }, (_, i) => i).filter((i) => sample.candidate[i] !== 0);
  const floats = (column: Float64Array): Float64Array => Float64Array.from(indices, (i) => column[i] ?? 0);
  return {
    ...sample,
    size: indices.length,
    outcome: floats(sample.outcome),
    logged: floats(sample.logged),
    candidate: floats(sample.logged),
    unsupported: new Float64Array(indices.length),
    weightLimit: new Float64Array(indices.length).fill(1),
  };
};

/** From the value of `half` to the difference. */
const doubled = (ends: Ends | null): Ends | null => (ends === null ? null : { low: 2 * ends.low - 1, high: 2 * ends.high - 1 });
