import type { RewardWeights } from '../reward/reward.ts';
import { partition, sumsOfBlock, type Series } from './series.ts';
import { addInto, fieldCount, noSums } from './sums.ts';
import { rewardSum, rewardVariance, trialsOf } from './reading.ts';

/**
 * When an arm's reward jumped: the tick before which its evidence should be forgotten, 0 for never. A function of the evidence alone, computed when it is read: the
 * order of arrival does not matter, and every process finds the same.
 *
 * For each edge between blocks the rewards before and after are compared within each stratum (a kind of request), so that a change in which requests the arm is given is not taken for a change of
 * the arm (the stratified mean difference of Cochran, Mantel and Haenszel, with normal likelihood ratio z^2 / 2). The largest ratio over all edges must exceed log(edges / falseAlarm): by the union bound an arm that did
 * not change is taken for one that did with about that probability at each look. After a change the search goes on behind it.
 * The tick at hand is left out: it is not over.
 */
export const changeTick = (strata: readonly Series[], latestTick: number, weights: RewardWeights, falseAlarm: number): number => {
  let since = 0;
  for (let changes = 0; changes < mostChanges; changes++) {
    const found = largestJump(strata, latestTick, weights, since);
    if (found === null || found.ratio <= Math.log(found.edges / falseAlarm)) break;
    since = found.tick;
  }
  return since;
};

const mostChanges = 16;

type Jump = { readonly tick: number; readonly ratio: number; readonly edges: number };

const largestJump = (strata: readonly Series[], latestTick: number, weights: RewardWeights, since: number): Jump | null => {
  const starts = new Set<number>();
  for (const series of strata) {
    partition(series, latestTick);
    for (const start of series.starts) if (start >= since && start < latestTick) starts.add(start);
  }
  const edges = [...starts].sort((a, b) => a - b);
  if (edges.length < 2) return null;
  const difference = new Float64Array(edges.length);
  const weight = new Float64Array(edges.length);
  let squares = 0;
  let trials = 0;
  for (const series of strata) {
    const own = noSums();
    const blocks = series.starts.flatMap((start, block) => (start >= since && start < latestTick ? [block] : []));
    for (const block of blocks) addInto(own, sumsOfBlock(series, block));
    const n = trialsOf(own);
    if (n < 2) continue;
    const y = rewardSum(own, weights);
    trials += n;
    squares += n * rewardVariance(own, weights);
    let before = 0;
    let rewardBefore = 0;
    let next = 0;
    for (let edge = 0; edge < edges.length; edge++) {
      for (; next < blocks.length; next++) {
        const block = blocks[next] ?? 0;
        if ((series.starts[block] ?? 0) >= (edges[edge] ?? 0)) break;
        before += trialsOf(series.sums, block * fieldCount);
        rewardBefore += rewardSum(series.sums, weights, block * fieldCount);
      }
      const after = n - before;
      if (before <= 0 || after <= 0) continue;
      const share = (before * after) / n;
      difference[edge] = (difference[edge] ?? 0) + share * ((y - rewardBefore) / after - rewardBefore / before);
      weight[edge] = (weight[edge] ?? 0) + share;
    }
  }
  const variance = squares / trials;
  let best: Jump | null = null;
  for (let edge = 1; edge < edges.length; edge++) {
    const w = weight[edge] ?? 0;
    if (w < leastShare) continue;
    const ratio = (difference[edge] ?? 0) ** 2 / (2 * variance * w);
    if (best === null || ratio > best.ratio) best = { tick: edges[edge] ?? 0, ratio, edges: edges.length };
  }
  return best;
};

/** Fewer than about this many rewards on one side prove nothing, however far they lie. */
const leastShare = 3;
