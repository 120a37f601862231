import { stringify } from 'csv-stringify';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PermanentError } from '../../errors.ts';
import type { LoggedDecision, Outcome } from '../logged/logged-decision.ts';
import { openUnduplicated } from '../unduplicated.ts';
import { writeNewFiles } from './new-files.ts';
import { featureColumns, featureValues } from './open-bandit-features.ts';
import { openBanditColumns } from './open-bandit-row.ts';
import { rewardOf } from '../logged/reward-of.ts';
import type { LoggedDecisions } from './write-log.ts';

/** Where Open Bandit Pipeline looks: `OpenBanditDataset(behavior_policy="bts", campaign="all", data_path=Path(folder))`. Other names it does not take. */
export const openBanditFiles = (folder: string) => ({
  log: path.join(folder, 'bts', 'all', 'all.csv'),
  items: path.join(folder, 'bts', 'all', 'item_context.csv'),
});

const mostItems = 65_536;

/**
 * Writes logged decisions as a folder in the form of the Open Bandit Dataset: a row for each decision of which something came, and the names of the arms beside. Second records of one decision are left out: rows have no id by which a reader could. What is lost stands in
 * docs/interchange.md. Throws when one of the files exists, unless `force`.
 */
export const writeOpenBandit = async (
  folder: string,
  batches: LoggedDecisions,
  { force = false }: { readonly force?: boolean } = {},
): Promise<{ readonly rows: number; readonly items: number }> => {
  const { log, items } = openBanditFiles(folder);
  const folders = [folder, path.dirname(path.dirname(log)), path.dirname(log)];
  return writeNewFiles([log, items], { force, folders }, async ([logFile = log, itemFile = items]) => {
    const numbers = new Map<string, number>();
    const itemOf = (arm: string): number => {
      const known = numbers.get(arm);
      if (known !== undefined) return known;
      if (numbers.size === mostItems)
        throw new PermanentError('data-invalid', `expected at most ${mostItems} arms, got "${arm}" as one more`);
      numbers.set(arm, numbers.size);
      return numbers.size - 1;
    };
    let rows = 0;
    const { isNew } = openUnduplicated();
    const cells = async function* () {
      for await (const batch of batches)
        for (const record of batch) {
          if (!isNew(record.id)) continue;
          // All that could be chosen are items, also those that never were.
          for (const arm of record.candidates?.arms ?? []) itemOf(arm);
          if (record.outcome !== null) yield rowOf(rows++, itemOf(record.arm), record, record.outcome);
        }
    };
    await writeCsv(logFile, ['', ...openBanditColumns, ...featureColumns], cells());
    if (rows === 0) throw new PermanentError('data-invalid', `expected decisions of which something came, to write to ${folder}; got none`);
    await writeCsv(
      itemFile,
      ['', 'item_id', 'item_feature_0', 'arm'],
      [...numbers].map(([arm, item]) => [item, item, 0, arm]),
    );
    return { rows, items: numbers.size };
  });
};

const rowOf = (
  index: number,
  item: number,
  { atMs, propensity, context }: LoggedDecision,
  outcome: Outcome,
): readonly (string | number)[] => [
  index,
  new Date(atMs).toISOString().replace('T', ' ').replace('Z', '000+00:00'),
  item,
  context.kind === 'slot' ? context.slot + 1 : 1,
  rewardOf(outcome) ?? '',
  propensity,
  ...featureValues(context),
];

const writeCsv = (
  file: string,
  header: readonly string[],
  rows: AsyncIterable<readonly unknown[]> | Iterable<readonly unknown[]>,
): Promise<void> =>
  pipeline(Readable.from(rows), stringify({ header: true, columns: [...header] }), createWriteStream(file, { flags: 'wx' }));
