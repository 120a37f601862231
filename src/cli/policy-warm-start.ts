import { Document, isMap, visit } from 'yaml';
import { offlineTally, type WarmStartCell } from '../domain/routing/policies/offline-records.ts';
import { mostArms, mostWarmStartCells } from '../events/schemas/policy.ts';
import { usageError } from './exit-codes.ts';
import { grouped } from './numbers.ts';
import { readOfflineRecords } from './offline-records.ts';
import type { Terminal } from './terminal.ts';

/** Makes the `warmStart` of a policy from records of requests that were answered and judged elsewhere. Asks no yard: that the arms are known is looked at when the policy is put in force. */
export const makeWarmStart = async (
  terminal: Terminal,
  file: string,
  options: { readonly maxTrials: number; readonly json?: true },
): Promise<void> => {
  const signal = terminal.interrupted();
  const tally = offlineTally(mostArms);
  let records = 0;
  for await (const record of readOfflineRecords(file)) {
    if (!tally.add(record)) throw usageError(`${record.where}: expected at most ${mostArms} arms, got "${record.arm}" as one more`);
    records += 1;
    signal.throwIfAborted();
  }
  if (records === 0) throw usageError(`${file === '-' ? 'stdin' : file}: expected at least one record, got none`);
  const all = tally.cells();
  const cells = all.slice(0, mostWarmStartCells);
  const warmStart = { maxTrials: options.maxTrials, cells };
  const leftOut = all.length - cells.length;
  if (leftOut > 0)
    terminal.note(
      `a policy holds at most ${grouped(mostWarmStartCells)} cells: the ${grouped(leftOut)} finest with the fewest records are left out`,
    );
  if (options.json === true) {
    await terminal.json({ warmStart, records, arms: tally.arms(), leftOut });
    return;
  }
  terminal.note(`${grouped(records)} records of ${grouped(tally.arms())} arms, in ${grouped(cells.length)} cells`);
  await terminal.write(asYaml({ warmStart }));
};

/** A cell a line. */
const asYaml = (block: { readonly warmStart: { readonly maxTrials: number; readonly cells: readonly WarmStartCell[] } }): string => {
  const document = new Document(block);
  visit(document, {
    Seq: (_key, list) => {
      for (const item of list.items) if (isMap(item)) item.flow = true;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0 });
};
