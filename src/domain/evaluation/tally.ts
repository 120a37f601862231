/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within columns of one size, and these loops run for every record */
import type { Estimate } from './estimate.ts';
import type { Estimator } from './estimators.ts';
import { moveSums, openGroups } from './groups.ts';
import type { Sample } from './sample.ts';
import { openSeries, type Block } from './series.ts';

/**
 * All estimators in one pass over the records, in memory that does not depend on their number: of each the moments of its terms, and sums by group for resampling. Records are worked through in blocks
 * of a fixed size, however samples cut them, so that the same records give the same digits. Estimators that weigh alike share the weights.
 */
export type Tally = {
  readonly add: (sample: Sample) => void;
  /** After the last sample. Null without records. */
  readonly finish: () => Tallied | null;
};

export type TallyOptions = {
  readonly estimators: readonly Estimator[];
  /** Most groups of records for resampling, at most 65,536; 16,384 unless told. */
  readonly mostGroups?: number;
};

export type Tallied = {
  readonly records: number;
  /** Records by group. Each cluster is a group of its own while the clusters fit; more than that share them by hash (`groups.ts`). */
  readonly groupSizes: Float64Array;
  /** Whether clusters share groups. */
  readonly areGroupsShared: boolean;
  /** What stands for itself where spreads are measured. */
  readonly spread: 'groups' | 'records';
  /** (sum of m)^2 / sum of m^2 (Kish 1965), m the records of a cluster: as many clusters of equal size would be as even. Estimated from the groups where clusters share them. */
  readonly effectiveClusters: number;
  /** By the name of the estimator, in the order asked for. Without those that these records cannot give: the normalised ones where every weight is 0. */
  readonly estimates: ReadonlyMap<string, Estimate>;
};

/** For records that are known to be clusters of their own: sharing groups then tells less of their spread than they do. */
export const ofOwnClusters = (tallied: Tallied): Tallied => (tallied.areGroupsShared ? { ...tallied, spread: 'records' } : tallied);

const blockSize = 1_024;
const mostGroupsByDefault = 16_384;

export const openTally = ({ estimators, mostGroups = mostGroupsByDefault }: TallyOptions): Tally => {
  const sizes = { block: blockSize, groups: mostGroups };
  const series = new Map(estimators.map((estimator) => [estimator.name, openSeries(estimator, sizes)]));
  const byWeight = [...Map.groupBy(estimators, ({ weight }) => weight)].map(
    ([weight, alike]) => [weight, alike.map(({ name }) => series.get(name)!)] as const,
  );
  const groups = openGroups(mostGroups);
  const groupSizes = new Float64Array(mostGroups);
  const block = emptyBlock();
  const weights = new Float64Array(blockSize);
  let records = 0;

  const work = (): void => {
    const { size, weight: plain, cluster, group } = block;
    const moved = groups.place(cluster, size, group);
    if (moved !== null) {
      moveSums(groupSizes, moved);
      for (const one of series.values()) one.moveGroups(moved);
    }
    for (let i = 0; i < size; i++) groupSizes[group[i]!]!++;
    for (const [weight, alike] of byWeight) {
      for (let i = 0; i < size; i++) weights[i] = weight(plain[i]!);
      for (const one of alike) one.add(block, weights);
    }
    records += size;
    block.size = 0;
  };
  return {
    add: (sample) => {
      for (let from = 0; from < sample.size;) {
        from = fill(block, sample, from);
        if (block.size === blockSize) work();
      }
    },
    finish: () => {
      if (block.size > 0) work();
      if (records === 0) return null;
      const read = [...series].map(([name, one]) => [name, one.read(groups.count())] as const);
      return {
        records,
        groupSizes: groupSizes.slice(0, groups.count()),
        areGroupsShared: groups.isShared(),
        spread: 'groups',
        effectiveClusters: effectiveClusters(groupSizes.subarray(0, groups.count()), records, groups.isShared()),
        estimates: new Map(read.filter((entry): entry is readonly [string, Estimate] => entry[1] !== null)),
      };
    },
  };
};

/** By hash the sum of the squares of the groups is that of the clusters and, on average, (records^2 - that) / groups more. */
const effectiveClusters = (sizes: Float64Array, records: number, isShared: boolean): number => {
  const squares = sizes.reduce((sum, size) => sum + size * size, 0);
  const own = isShared ? (squares - records ** 2 / sizes.length) / (1 - 1 / sizes.length) : squares;
  return records ** 2 / Math.max(records, own);
};

const emptyBlock = (): Block => ({
  size: 0,
  weight: new Float64Array(blockSize),
  outcome: new Float64Array(blockSize),
  residual: new Float64Array(blockSize),
  expected: new Float64Array(blockSize),
  cluster: new Uint32Array(blockSize),
  group: new Uint16Array(blockSize),
});

/** Takes records of the sample into what is left of the block, and returns the first that found no room. */
const fill = (block: Block, sample: Sample, from: number): number => {
  const until = Math.min(sample.size, from + blockSize - block.size);
  let to = block.size;
  for (let i = from; i < until; i++, to++) {
    block.weight[to] = sample.candidate[i]! / sample.logged[i]!;
    block.outcome[to] = sample.outcome[i]!;
    block.residual[to] = sample.outcome[i]! - sample.predicted[i]!;
    block.expected[to] = sample.expected[i]!;
    block.cluster[to] = sample.cluster[i]!;
  }
  block.size = to;
  return until;
};
