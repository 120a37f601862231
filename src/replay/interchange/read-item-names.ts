import { csvRows } from './csv-rows.ts';
import { refuseFile } from './foreign-bytes.ts';
import { seenIn } from './seen.ts';

const mostItems = 65_536;

/** Items of an Open Bandit folder by number, from its item_context.csv, each with the name in the column `arm`; without that column they are named by their number. Throws a PermanentError with file and line. */
export const readItemNames = async (file: string): Promise<ReadonlyMap<number, string>> => {
  const names = new Map<number, string>();
  const taken = new Set<string>();
  let columns: { readonly item: number; readonly arm: number } | null = null;
  for await (const { cells, line } of csvRows(file)) {
    const where = `${file}:${line}`;
    if (columns === null) {
      columns = { item: cells.indexOf('item_id'), arm: cells.indexOf('arm') };
      if (columns.item === -1) throw refuseFile(where, 'expected a column item_id');
      continue;
    }
    const number = cells[columns.item] ?? '';
    const arm = columns.arm === -1 ? number : (cells[columns.arm] ?? '');
    if (!/^\d{1,5}$/.test(number) || names.has(Number(number)))
      throw refuseFile(where, `expected an item_id that is a whole number of its own, got ${seenIn(number)}`);
    if (arm === '' || arm.length > 1_024 || taken.has(arm))
      throw refuseFile(where, `expected a name of its own in the column arm, got ${seenIn(arm)}`);
    if (names.size === mostItems) throw refuseFile(where, `expected at most ${mostItems} items`);
    names.set(Number(number), arm);
    taken.add(arm);
  }
  if (names.size === 0) throw refuseFile(file, 'expected at least one item');
  return names;
};
