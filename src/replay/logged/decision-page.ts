/* eslint-disable @typescript-eslint/no-non-null-assertion -- all columns of a page are as long as it has rows, and these functions run for every record */
import { weigh, type RewardParts, type RewardWeights } from '../../domain/reward/reward.ts';
import { InvariantError } from '../../errors.ts';
import type { Columns, ListColumn } from '../../projections/arrow-columns.ts';
import { pageColumns, recordedWeights } from './decisions-sql.ts';

/** A page of logged decisions as columns, in the order of the log. */
export type DecisionPage = Readonly<Record<TextColumn, readonly string[]> & Record<PlainNumber, Float64Array>> & {
  readonly rows: number;
  readonly propensities: ListColumn;
  /** Those of the last revision; null where they were not asked for. */
  readonly recordedWeights: ListColumn | null;
};

type TextColumn = (typeof textColumns)[number];
const textColumns = [
  ...(['tenant', 'id', 'conversation', 'previousArm', 'policy', 'arm', 'arms', 'brokenArms', 'requestedModel', 'needs'] as const),
  ...(['language', 'requestKind', 'requestedFormat'] as const),
] as const;
type PlainNumber = Exclude<keyof typeof pageColumns, TextColumn | 'propensities'>;

/** Columns are named `c_<name>`, so that no alias hides a column of the table. */
export const decisionPage = (columns: Columns, { withWeights }: { readonly withWeights: boolean }): DecisionPage => {
  const texts: ReadonlySet<string> = new Set(textColumns);
  const read = Object.keys(pageColumns).map((name) => {
    const column = `c_${name}`;
    if (name === 'propensities') return [name, columns.lists(column)];
    return [name, texts.has(name) ? columns.texts(column) : columns.numbers(column)];
  });
  const page = Object.fromEntries(read) as Omit<DecisionPage, 'rows' | 'recordedWeights'>;
  checkOrder(page.sequence);
  return { ...page, rows: columns.rows, recordedWeights: withWeights ? columns.lists(`c_${recordedWeights}`) : null };
};

const checkOrder = (sequence: Float64Array): void => {
  for (let i = 1; i < sequence.length; i++)
    if (sequence[i]! < sequence[i - 1]!) throw new InvariantError('a page of decisions came out of the order of the log');
};

/** Whether each reward was weighed as its decision says. */
export const isWeighedAsDecided = (page: DecisionPage): boolean => {
  let weights = noWeights;
  for (let i = 0; i < page.rows; i++) {
    if (page.revisions[i]! === 0) continue;
    weights = weightsAt(page, i, weights);
    if (weigh(microAt(page, i), weights) !== page.rewardMicro[i]!) return false;
  }
  return true;
};

export const microAt = (page: DecisionPage, i: number): RewardParts => ({
  success: page.success[i]!,
  streaming: page.streaming[i]!,
  cache: page.cache[i]!,
  cost: page.cost[i]!,
});

/** Those of the decision; one object with the ones `before`, where they are equal. */
export const weightsAt = (page: DecisionPage, i: number, before: RewardWeights): RewardWeights => {
  const [success, streaming] = [page.weightSuccess[i]!, page.weightStreaming[i]!];
  const [cache, cost] = [page.weightCache[i]!, page.weightCost[i]!];
  const areEqual = before.success === success && before.streaming === streaming && before.cache === cache && before.cost === cost;
  return areEqual ? before : { success, streaming, cache, cost };
};

export const noWeights: RewardWeights = { success: 0, streaming: 0, cache: 0, cost: 0 };

export const listAt = ({ offsets, values }: ListColumn, i: number): number[] => {
  const list: number[] = [];
  for (let k = offsets[i]!; k < offsets[i + 1]!; k++) list.push(values[k]!);
  return list;
};
