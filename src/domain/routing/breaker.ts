import { everyRequest, type Evidence } from './evidence.ts';
import { partition } from './series.ts';
import { fieldIndex, fieldCount } from './sums.ts';

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
  const { starts, sums } = series;
  for (let block = starts.length - 1; block >= 0 && (starts[block] ?? 0) > nowTick - ticksBack; block--) {
    failures += sums[block * fieldCount + fieldIndex.failures] ?? 0;
    trials += sums[block * fieldCount + fieldIndex.trials] ?? 0;
  }
  return failures >= leastFailures && failures > largestShare * trials;
};
