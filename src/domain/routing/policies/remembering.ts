import type { RewardWeights } from '../../reward/reward.ts';
import { changeTick } from '../change-point.ts';
import { everyRequest, type ArmSeries, type Evidence } from '../evidence.ts';
import type { Series } from '../series.ts';
import type { Sums } from '../sums.ts';
import { decayOf, read } from '../memory.ts';
import type { SpecOf } from './policy.ts';

/**
 * Evidence as a policy remembers it: decayed, and cut where an arm changed. The change point of an arm is looked for again whenever a tick is over, or evidence came late, over the strata that the
 * policy tells apart.
 */
export type Remembering = {
  /** The arm's sums in each of the cells, in their order; null where there are none. Valid until the next reading. */
  readonly recall: (evidence: Evidence, arm: string, cells: readonly string[], at: ReadingAt) => readonly (Sums | null)[];
  readonly changeTick: (evidence: Evidence, arm: string, at: ReadingAt) => number;
};

type ReadingAt = { readonly nowTick: number; readonly weights: RewardWeights };

export const remembering = (memory: SpecOf<'contextual-thompson'>['memory'], strata: readonly string[] | 'kinds'): Remembering => {
  const decay = decayOf(memory.halfLifeSeconds);
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
    recall: (evidence, arm, cells, { nowTick, weights }) => {
      const series = evidence.arms.get(arm);
      if (series === undefined) return cells.map(() => null);
      const reading = { nowTick, decay, sinceTick: changeTickOf(evidence, series, weights) };
      return cells.map((cell) => {
        const inCell = series.cells.get(cell);
        return inCell === undefined ? null : read(inCell, evidence.latestTick, reading);
      });
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
