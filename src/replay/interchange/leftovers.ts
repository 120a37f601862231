import type { LoggedDecision } from '../logged/logged-decision.ts';
import { slotsOf, type DistributionSpec } from './action-distribution.ts';

/** What an Open Bandit log and the files beside it held that is not in the records made of them. */
export type Leftovers = {
  /** Columns of the log that are not read, such as features: how many, and the first of their names. */
  readonly columnsNotRead: { readonly count: number; readonly first: readonly string[] };
  /** Positions that the action distribution has and no row, from 1 on. */
  readonly positionsNotSeen: readonly number[];
  /** Items of the item context that no row has; null without one. */
  readonly itemsNotSeen: number | null;
  /** Items of rows that the item context does not name: they are called by their number. */
  readonly itemsNotNamed: number | null;
};

const mostColumns = 20;
/** The log has no more items than this. */
const mostItems = 65_536;

/** Sees the records go by, and counts. */
export const leftoversWith = (given: { readonly names: ReadonlyMap<number, string>; readonly logger: DistributionSpec | null }) => {
  const { names, logger } = given;
  const named = new Set(names.values());
  const slots = new Set<number>();
  const arms = new Set<string>();
  let columns: readonly string[] = [];
  return {
    onColumns: (notRead: readonly string[]): void => {
      columns = notRead;
    },
    see: ({ context, arm }: LoggedDecision): void => {
      if (context.kind === 'slot') slots.add(context.slot);
      if (arms.size < mostItems) arms.add(arm);
    },
    summary: (): Leftovers => ({
      columnsNotRead: { count: columns.length, first: columns.slice(0, mostColumns).map((name) => name.slice(0, 64)) },
      positionsNotSeen: Array.from({ length: (logger === null ? null : slotsOf(logger)) ?? 0 }, (_, slot) => slot)
        .filter((slot) => !slots.has(slot))
        .map((slot) => slot + 1),
      itemsNotSeen: names.size === 0 ? null : missingIn(arms, named),
      itemsNotNamed: names.size === 0 ? null : missingIn(named, arms),
    }),
  };
};

const missingIn = (set: ReadonlySet<string>, names: ReadonlySet<string>): number => [...names].filter((name) => !set.has(name)).length;
