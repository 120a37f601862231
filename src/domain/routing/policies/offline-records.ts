import type { JsonObject } from '../../../json.ts';
import { systemTenant } from '../../../events/index.ts';
import { cellsOf } from '../features/cells.ts';
import { extractFeatures } from '../features/extract.ts';
import type { SpecOf } from './policy.ts';

/**
 * Makes a warm start from requests that were answered and judged elsewhere. A record counts in each cell that a live request with these messages would be filed under, so that what was known before
 * and what is learned here are about the same kinds of request. Memory is bounded by arms times cells.
 */
export type OfflineRecord = { readonly arm: string; readonly messages: readonly JsonObject[]; readonly reward: number };
export type WarmStartCell = NonNullable<SpecOf<'contextual-thompson'>['warmStart']>['cells'][number];

/** Means by arm and cell. */
export type OfflineTally = {
  /** False when there would be more arms than `mostArms`: the record is not counted. */
  readonly add: (record: OfflineRecord) => boolean;
  readonly arms: () => number;
  /** Coarse cells first, in each level those with the most records, so that what is cut off at the end says least. */
  readonly cells: () => readonly WarmStartCell[];
};

export const offlineTally = (mostArms: number): OfflineTally => {
  const arms = new Map<string, Map<string, Sums>>();
  return {
    add: ({ arm, messages, reward }) => {
      let cells = arms.get(arm);
      if (cells === undefined) {
        if (arms.size >= mostArms) return false;
        arms.set(arm, (cells = new Map<string, Sums>()));
      }
      for (const [level, cell] of cellsOf(extractFeatures({ messages, parameters: {}, tenant: systemTenant })).entries()) {
        const sums = cells.get(cell) ?? { level, trials: 0, gained: 0 };
        sums.trials += 1;
        sums.gained += reward;
        cells.set(cell, sums);
      }
      return true;
    },
    arms: () => arms.size,
    cells: () =>
      [...arms]
        .flatMap(([arm, cells]) => [...cells].map(([cell, sums]) => ({ arm, cell, ...sums })))
        .sort((a, b) => a.level - b.level || b.trials - a.trials || (a.cell < b.cell ? -1 : a.cell > b.cell ? 1 : a.arm < b.arm ? -1 : 1))
        .map(({ arm, cell, trials, gained }) => ({ arm, cell, trials, reward: Number((gained / trials).toFixed(digits)) })),
  };
};

type Sums = { readonly level: number; trials: number; gained: number };

/** Of the mean, in millionths as everywhere. */
const digits = 6;
