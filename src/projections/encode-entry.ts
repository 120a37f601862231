import type { LogEntry } from '../bus/event-log.ts';
import type { Entry } from './batch-buffer.ts';
import { asPoison, rowsOf, type Poison } from './rows.ts';
import { understand } from './understand.ts';

/** The form in which a message waits for its insert: its rows as JSON, one a line. */
export type EncodedEntry = Entry & {
  /** Set when the message could not be understood: it belongs among the dead letters as well. */
  readonly poison: Poison | null;
};

export const encodeEntry = (entry: LogEntry, epoch: number): EncodedEntry => {
  const understood = understand(entry);
  if (understood.kind === 'poison') return encoded(understood, epoch);
  try {
    return encoded(understood, epoch);
  } catch (error) {
    // Facts that are not where the converter looks for them: only the envelope was checked before.
    if (!(error instanceof TypeError)) throw error;
    return encoded(asPoison(entry, 'invalid-event', error.message), epoch);
  }
};

const encoded = (entry: LogEntry, epoch: number): EncodedEntry => {
  const rows = rowsOf(entry, epoch);
  let lines = '';
  for (const row of rows) lines += `${JSON.stringify(row)}\n`;
  return {
    sequence: entry.sequence,
    storedAtMs: entry.storedAtMs,
    rows: rows.length,
    lines,
    poison: entry.kind === 'poison' ? entry : null,
  };
};
