import Table from 'cli-table3';
import type { Terminal } from './terminal.ts';

/** A column: its title, and where its cells stand. Numbers stand at the right. */
export type Column = { readonly title: string; readonly align?: 'left' | 'right' };

/** Rows under titles: with borders on a terminal, in plain columns (for grep, awk and diff) elsewhere. */
export const writeTable = async (
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly (string | number)[])[],
): Promise<void> => {
  const table = new Table({
    head: columns.map(({ title }) => terminal.style('bold', title)),
    colAligns: columns.map(({ align = 'left' }) => align),
    // The library's own colours do not know our rules.
    style: terminal.isInteractive ? { head: [], border: [] } : { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    ...(terminal.isInteractive ? {} : { chars: plain }),
  });
  table.push(...rows.map((row) => row.map(String)));
  const text = table.toString();
  await terminal.line(terminal.isInteractive ? text : text.replace(/ +$/gm, ''));
};

const plain = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;
