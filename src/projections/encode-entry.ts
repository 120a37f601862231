import type { LogEntry } from '../bus/event-log.ts';
import type { Entry } from './batch-buffer.ts';
import { rowsOf } from './rows.ts';

/** The form in which a message waits for its insert: its rows as JSON, one a line. */
export const encodeEntry = (entry: LogEntry, epoch: number): Entry => {
  const rows = rowsOf(entry, epoch);
  let lines = '';
  for (const row of rows) lines += `${JSON.stringify(row)}\n`;
  return { sequence: entry.sequence, storedAtMs: entry.storedAtMs, rows: rows.length, lines };
};
