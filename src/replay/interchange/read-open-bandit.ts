import { everyRequest } from '../../domain/routing/evidence.ts';
import { PermanentError } from '../../errors.ts';
import { contradicts, type LoggedDecision, type Outcome } from '../logged/logged-decision.ts';
import { armsOf, distributionOf, slotsOf, type DistributionSpec } from './action-distribution.ts';
import { csvRows } from './csv-rows.ts';
import { refuseFile } from './foreign-bytes.ts';
import { openUnduplicated } from '../unduplicated.ts';
import { createIndexSet } from './index-set.ts';
import { rowReaderFor, type OpenBanditRow } from './open-bandit-row.ts';

export type OpenBanditOptions = {
  readonly tenant: string;
  /** The policy that made the log: the columns do not say it. */
  readonly policy: string;
  /** What else it could have chosen: its distribution over items, where that is known. Uniform is over those that have a name. */
  readonly logger: DistributionSpec | null;
  /** Names of items; others are named by their number. */
  readonly names: ReadonlyMap<number, string>;
  /** Told once of the columns that nothing is read from. */
  readonly onColumns?: (notRead: readonly string[]) => void;
  /** Told of each row whose propensity is not what the distribution says of its item: it is kept, with null for its candidates. `ratio`: the larger of the two by the smaller. */
  readonly onOther?: (ratio: number) => void;
  /** Told of each row that says the same as an earlier one in all columns but the index. It is kept: coarse times make such rows, too. */
  readonly onCopy?: () => void;
  /** Told of each row that cannot be read, which is then left out. Without it such a row is an error. */
  readonly onBad?: (where: string, reason: string) => void;
};

const batchSize = 1_024;

/**
 * A log in the columns of the Open Bandit Dataset, as logged decisions. Every row is a cluster of its own, its context is the slot (position - 1), its reward the click; nothing came of one without a click. Rows of two policies in one
 * file cannot be told apart. Throws a PermanentError with file and line.
 */
export async function* readOpenBandit(
  file: string,
  options: OpenBanditOptions,
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  const decisionOf = decisionsWith(options);
  const seen = createIndexSet();
  const contents = openUnduplicated();
  let reader: ReturnType<typeof rowReaderFor> | null = null;
  let rows = 0;
  let read = 0;
  let batch: LoggedDecision[] = [];
  for await (const { cells, line } of csvRows(file)) {
    const where = `${file}:${line}`;
    if (reader === null) {
      reader = rowReaderFor(cells);
      if (typeof reader === 'string') throw refuseFile(where, reader);
      options.onColumns?.(reader.notRead);
      continue;
    }
    if (typeof reader === 'string') break;
    const row = reader.read(cells);
    const result = typeof row === 'string' ? row : (duplicateFault(row, seen) ?? decisionOf(row, rows));
    rows += 1;
    if (typeof result !== 'string') read += 1;
    if (typeof result !== 'string') {
      batch.push(result);
      if (!contents.isNew(reader.contentOf(cells))) options.onCopy?.();
    } else if (options.onBad === undefined) throw refuseFile(where, result);
    else options.onBad(where, result);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (reader === null) throw refuseFile(file, 'expected a header with the names of the columns, got an empty file');
  if (rows === 0) throw refuseFile(file, 'expected at least one row after the header, got none');
  if (read === 0) throw refuseFile(file, `expected at least one row that can be read, got none among ${rows}`);
  if (batch.length > 0) yield batch;
}

const duplicateFault = ({ index }: OpenBanditRow, seen: ReturnType<typeof createIndexSet>): string | null => {
  if (index === null) return null;
  switch (seen.add(index)) {
    case 'added':
      return null;
    case 'duplicate':
      return `expected each index once, got ${index} again: are these two logs in one file?`;
    case 'full':
      return 'expected indices that lie close together, as those of rows do, to see that none comes twice';
  }
};

/** The reward is the click, and nothing else was measured. */
export const clickWeights = { success: 1, streaming: 0, cache: 0, cost: 0 } as const satisfies Outcome['weights'];

const decisionsWith = ({ tenant, policy, logger, names, onOther }: OpenBanditOptions) => {
  const nameOf = (item: string): string => names.get(Number(item)) ?? item;
  const taken = new Set(names.values());
  /** By its number it would be called as another one is by its name. */
  const isMistakable = (item: string): boolean => taken.has(item) && !names.has(Number(item));
  const mistakable = logger === null ? undefined : armsOf(logger)?.find(isMistakable);
  if (mistakable !== undefined)
    throw new PermanentError(
      'data-invalid',
      `expected a name for item ${mistakable} of the action distribution: another item is called so`,
    );
  const candidatesIn = logger === null ? () => null : candidatesOf(logger, names, nameOf);
  return ({ index, atMs, item, slot, reward, propensity }: OpenBanditRow, row: number): LoggedDecision | string => {
    const id = String(index ?? row);
    if (isMistakable(String(item))) return `expected a name for item ${item}, as another item is called so, got none`;
    const arm = nameOf(String(item));
    const candidates = candidatesIn(slot);
    if (typeof candidates === 'string') return candidates;
    const listed = candidates === null ? null : (candidates.propensities[candidates.arms.indexOf(arm)] ?? 0);
    if (listed === 0) return `expected an item that the action distribution may choose in position ${slot + 1}, got ${item}`;
    // The propensity is what the item was drawn with; a distribution that says otherwise is not that of this row.
    const isOther = listed !== null && contradicts(propensity, listed);
    if (isOther) onOther?.(Math.max(listed / propensity, propensity / listed));
    return {
      id,
      atMs,
      tenant,
      cluster: id,
      policy,
      arm,
      propensity,
      candidates: isOther ? null : candidates,
      cells: [everyRequest],
      context: { kind: 'slot', slot },
      outcome:
        reward === null
          ? null
          : {
              parts: { success: reward, streaming: null, cache: null, cost: null },
              weights: clickWeights,
              failed: null,
              costUsd: null,
              latencyMs: null,
              tokens: null,
            },
    };
  };
};

/** All that the logger could choose in a slot, made once for each; a sentence for a slot that its distribution does not have. */
const candidatesOf = (
  logger: DistributionSpec,
  names: ReadonlyMap<number, string>,
  nameOf: (item: string) => string,
): ((slot: number) => NonNullable<LoggedDecision['candidates']> | string) => {
  const known = armsOf(logger) ?? [...names.keys()].map(String);
  const arms = known.map(nameOf);
  const slots = slotsOf(logger) ?? Infinity;
  const distribution = distributionOf(logger);
  const made = new Map<number, NonNullable<LoggedDecision['candidates']>>();
  return (slot) => {
    if (slot >= slots) return `expected a position from 1 to ${slots}, as the action distribution has, got ${slot + 1}`;
    const found = made.get(slot) ?? { arms, propensities: [...distribution(slot, known)] };
    made.set(slot, found);
    return found;
  };
};
