import { everyRequest, fieldIndex, partition, type Evidence } from './evidence.ts';

/**
 * A circuit breaker over the log: an arm that has failed of late is not asked for a while. It looks at the last eight ticks (about two minutes) of the arm's evidence, which is filed under the moment of the decision, so that
 * failures which took a minute to fail are seen too; when these are over the arm is asked again, and the first requests tell. Being a function of the evidence it is the same in every process, and a decision that was made under it can be repeated.
 */
export const ticksBack = 8;
const leastFailures = 5;
const largestShare = 0.5;

export const breakerIsOpen = (evidence: Evidence, arm: string, nowTick: number): boolean => {
  const series = evidence.arms.get(arm)?.cells.get(everyRequest);
  if (series === undefined) return false;
  partition(series, evidence.latestTick);
  let failures = 0;
  let trials = 0;
  for (let i = series.blocks.length - 1; i >= 0; i--) {
    const block = series.blocks[i];
    if (block === undefined || block.start <= nowTick - ticksBack) break;
    failures += block.sums[fieldIndex.failures] ?? 0;
    trials += block.sums[fieldIndex.trials] ?? 0;
  }
  return failures >= leastFailures && failures > largestShare * trials;
};
