import type { RewardWeights } from '../../reward/reward.ts';
import { changeTick } from '../change-point.ts';
import { everyRequest, type ArmSeries, type Evidence, type Series, type Sums } from '../evidence.ts';
import { halfLifeTicks, read } from '../memory.ts';
import type { SpecOf } from './policy.ts';

/**
 * Evidence as a policy remembers it: decayed, and cut where an arm changed. The change point of an arm is looked for again whenever a tick is over, or evidence came late, over the strata that the
 * policy tells apart.
 */
export type Remembering = {
  /** Null when there is none. Valid until the next reading. */
  readonly read: (evidence: Evidence, arm: string, cell: string, at: ReadingAt) => Sums | null;
  readonly changeTick: (evidence: Evidence, arm: string, at: ReadingAt) => number;
};

type ReadingAt = { readonly nowTick: number; readonly weights: RewardWeights };

export const remembering = (memory: SpecOf<'contextual-thompson'>['memory'], strata: readonly string[] | 'kinds'): Remembering => {
  const halfLife = halfLifeTicks(memory.halfLifeSeconds);
  const { falseAlarm } = memory;
  const changes = new WeakMap<ArmSeries, { lateVersion: number; latestTick: number; weights: RewardWeights; tick: number }>();

  const changeTickOf = (evidence: Evidence, series: ArmSeries, weights: RewardWeights): number => {
    if (falseAlarm === null) return 0;
    const known = changes.get(series);
    if (known?.lateVersion === series.lateVersion && known.latestTick === evidence.latestTick && known.weights === weights)
      return known.tick;
    const tick = changeTick(strataOf(series, strata), evidence.latestTick, weights, falseAlarm);
    changes.set(series, { lateVersion: series.lateVersion, latestTick: evidence.latestTick, weights, tick });
    return tick;
  };

  return {
    read: (evidence, arm, cell, { nowTick, weights }) => {
      const series = evidence.arms.get(arm);
      const inCell = series?.cells.get(cell);
      if (series === undefined || inCell === undefined) return null;
      return read(inCell, evidence.latestTick, { nowTick, halfLifeTicks: halfLife, sinceTick: changeTickOf(evidence, series, weights) });
    },
    changeTick: (evidence, arm, { weights }) => {
      const series = evidence.arms.get(arm);
      return series === undefined ? 0 : changeTickOf(evidence, series, weights);
    },
  };
};

const strataOf = (series: ArmSeries, strata: readonly string[] | 'kinds'): readonly Series[] => {
  // In one order, whichever came first: sums of fractions depend on it in their last digits.
  const cells = strata === 'kinds' ? [...series.cells.keys()].filter((cell) => cell.startsWith('kind:')).sort() : strata;
  const found = cells.flatMap((cell) => series.cells.get(cell) ?? []);
  const all = series.cells.get(everyRequest);
  return found.length > 0 || all === undefined ? found : [all];
};
