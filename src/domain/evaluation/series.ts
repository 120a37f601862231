/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns that are sized here, and these loops run for every record and estimator */
import { openCovariances } from './covariances.ts';
import type { Estimate } from './estimate.ts';
import type { Estimator } from './estimators.ts';
import { openFurthest } from './furthest.ts';
import { moveSums } from './groups.ts';
import { addBlock, momentsOf, noMoments } from './moments.ts';

/** Some records side by side, the first `size` entries of each column. */
export type Block = {
  size: number;
  readonly weight: Float64Array;
  readonly outcome: Float64Array;
  /** Outcome less what the reward model expects of the logged action. */
  readonly residual: Float64Array;
  /** What the reward model expects of the candidate. */
  readonly expected: Float64Array;
  readonly cluster: Uint32Array;
  readonly group: Uint16Array;
};

/** What one estimator keeps of the records. */
export type Series = {
  /** `weights`: g(w) of each record of the block. */
  readonly add: (block: Block, weights: Float64Array) => void;
  readonly moveGroups: (moved: Uint16Array) => void;
  /** Of at least one record; null where the records have no weight to normalise by. */
  readonly read: (groupCount: number) => Estimate | null;
};

/** Most records in a block, and most groups. */
export type Sizes = { readonly block: number; readonly groups: number };

export const openSeries = (estimator: Estimator, sizes: Sizes): Series =>
  estimator.normalised ? normalisedSeries(estimator, sizes) : plainSeries(estimator, sizes);

const plainSeries = (estimator: Estimator, sizes: Sizes): Series => {
  const moments = noMoments();
  const sums = new Float64Array(sizes.groups);
  const terms = new Float64Array(sizes.block);
  const zeros = new Float64Array(sizes.block);
  return {
    add: ({ size, outcome, residual, expected, group }, weights) => {
      const base = estimator.model ? expected : zeros;
      const gain = estimator.model ? residual : outcome;
      for (let i = 0; i < size; i++) terms[i] = base[i]! + weights[i]! * gain[i]!;
      addBlock(moments, terms, size);
      addByGroup(sums, terms, group, size);
    },
    moveGroups: (moved) => {
      moveSums(sums, moved);
    },
    read: (groupCount) => {
      const terms = momentsOf(moments);
      return {
        estimator,
        value: terms.mean,
        terms,
        leastTerm: moments.least,
        mostTerm: moments.most,
        influenceVariance: terms.variance,
        sums: { plain: sums.slice(0, groupCount), normalised: null },
      };
    },
  };
};

/**
 * With a = d, b = g (r - q), c = g and M = mean of c:
 *   terms       a + b / M                           variance as if M were known
 *   influences  a + (b - v c) / M,  v = mean b / M  what one record changes in mean a + mean b / mean c, to first order
 */
const normalisedSeries = (estimator: Estimator, sizes: Sizes): Series => {
  const covariances = openCovariances(3);
  const most = openFurthest();
  const least = openFurthest();
  const sums = { plain: new Float64Array(sizes.groups), weighted: new Float64Array(sizes.groups), weights: new Float64Array(sizes.groups) };
  const weighted = new Float64Array(sizes.block);
  const zeros = new Float64Array(sizes.block);
  return {
    add: ({ size, outcome, residual, expected, group }, weights) => {
      const base = estimator.model ? expected : zeros;
      const gain = estimator.model ? residual : outcome;
      for (let i = 0; i < size; i++) {
        weighted[i] = weights[i]! * gain[i]!;
        most.add(base[i]!, weighted[i]!);
        least.add(-base[i]!, -weighted[i]!);
      }
      covariances.add([base, weighted, weights], size);
      addByGroup(sums.plain, base, group, size);
      addByGroup(sums.weighted, weighted, group, size);
      addByGroup(sums.weights, weights, group, size);
    },
    moveGroups: (moved) => {
      Object.values(sums).forEach((column) => {
        moveSums(column, moved);
      });
    },
    read: (groupCount) => {
      const { count, mean, covariance } = covariances;
      const scale = 1 / mean(2);
      if (!Number.isFinite(scale)) return null;
      const normalisedPart = mean(1) / mean(2);
      const value = mean(0) + normalisedPart;
      const spread = (b: number, c: number) =>
        covariance(0, 0) +
        2 * (b * covariance(0, 1) + c * covariance(0, 2)) +
        b * b * covariance(1, 1) +
        2 * b * c * covariance(1, 2) +
        c * c * covariance(2, 2);
      return {
        estimator,
        value,
        terms: { count: count(), mean: value, variance: Math.max(0, spread(scale, 0)) },
        leastTerm: -least.at(scale),
        mostTerm: most.at(scale),
        influenceVariance: Math.max(0, spread(scale, -normalisedPart * scale)),
        sums: {
          plain: sums.plain.slice(0, groupCount),
          normalised: { weighted: sums.weighted.slice(0, groupCount), weights: sums.weights.slice(0, groupCount) },
        },
      };
    },
  };
};

const addByGroup = (sums: Float64Array, values: Float64Array, group: Uint16Array, size: number): void => {
  for (let i = 0; i < size; i++) sums[group[i]!]! += values[i]!;
};
