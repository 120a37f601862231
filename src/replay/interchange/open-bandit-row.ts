import { lastMomentMs, leastPropensity } from './log-format.ts';
import { seenIn } from './seen.ts';

/** A row of the Open Bandit Dataset (Saito et al. 2020, arXiv 2008.07146), as far as an evaluation of policies needs it. */
export type OpenBanditRow = {
  readonly index: number | null;
  readonly atMs: number;
  readonly item: number;
  /** From 0 on. */
  readonly slot: number;
  /** The click; null where the cell says that there is none, as data frames do. */
  readonly reward: number | null;
  readonly propensity: number;
};

export const openBanditColumns = ['timestamp', 'item_id', 'position', 'click', 'propensity_score'] as const;

export type RowReader = {
  /** Names of the columns that nothing is read from. */
  readonly notRead: readonly string[];
  readonly read: (cells: readonly string[]) => OpenBanditRow | string;
  /** All that a row says but its index. */
  readonly contentOf: (cells: readonly string[]) => string;
};

/** From the header: a reader of rows, or what is wrong with the header. A row that cannot be read is a sentence that says what was expected. */
export const rowReaderFor = (header: readonly string[]): RowReader | string => {
  const names = header.map((name) => name.trim());
  const missing = openBanditColumns.filter((name) => !names.includes(name));
  const [only = ''] = names;
  if (names.length === 1 && /[;\t|]/.test(only)) return `expected columns with commas between them, got the one column ${seenIn(only)}`;
  if (missing.length > 0) return `expected the columns ${openBanditColumns.join(', ')}, got none named ${missing.join(', ')}`;
  const double = openBanditColumns.find((name) => names.indexOf(name) !== names.lastIndexOf(name));
  if (double !== undefined) return `expected one column named ${double}, got several`;
  // The index of a data frame comes first and has no name.
  const indexColumn = names.findIndex((name, column) => (name === '' && column === 0) || name === 'index' || name === 'Unnamed: 0');
  const [time, item, position, click, propensity] = openBanditColumns.map((name) => names.indexOf(name)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    notRead: names.filter((name, column) => name !== '' && column !== indexColumn && !openBanditColumns.some((read) => read === name)),
    read: (cells) => {
      if (cells.length !== names.length) return `expected ${names.length} columns, as in the header, got ${cells.length}`;
      const cell = (column: number) => cells[column] ?? '';
      const row = {
        index: indexColumn === -1 ? null : wholeOf(cell(indexColumn)),
        atMs: timeOf(cell(time)),
        item: wholeOf(cell(item)),
        slot: wholeOf(cell(position)) - 1,
        reward: noNumber.test(cell(click)) ? null : numberOf(cell(click)),
        propensity: numberOf(cell(propensity)),
      };
      if (row.index !== null && !(row.index <= Number.MAX_SAFE_INTEGER))
        return fault('an index that is a whole number from 0', cell(indexColumn));
      if (Number.isNaN(row.atMs)) return fault('a timestamp such as 2019-11-24 00:03:13.442536+00:00', cell(time));
      if (!(row.item <= mostItems)) return fault(`an item_id that is a whole number from 0 to ${mostItems}`, cell(item));
      if (!(row.slot >= 0 && row.slot < mostPositions)) return fault(`a position from 1 to ${mostPositions}`, cell(position));
      if (row.reward !== null && !(row.reward >= 0 && row.reward <= 1)) return fault('a click from 0 to 1, or none', cell(click));
      if (!(row.propensity > 0 && row.propensity <= 1)) return fault('a propensity_score above 0 and at most 1', cell(propensity));
      if (row.propensity < leastPropensity) return fault(`a propensity_score of at least ${leastPropensity}`, cell(propensity));
      return row;
    },
    contentOf: (cells) => cells.filter((_, column) => column !== indexColumn).join('\n'),
  };
};

const mostItems = 65_535;
const mostPositions = 1_000;

const fault = (expected: string, seen: string): string => `expected ${expected}, got ${seen === '' ? 'nothing' : seenIn(seen)}`;

/** What data frames write where there is nothing. */
const noNumber = /^(?:|nan|NaN|NA|N\/A|null|NULL|None)$/;

/** NaN where it is none. `Number` alone takes an empty cell for 0. */
const numberOf = (cell: string): number => (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(cell) ? Number(cell) : NaN);

/** Data frames write whole numbers with a fraction of zero where a column once had a gap. */
const wholeOf = (cell: string): number => (/^\d+(?:\.0+)?$/.test(cell) ? Number(cell) : NaN);

const timeForm = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)\s?(Z|UTC|[+-]\d{2}:\d{2})?$/;

/** Milliseconds since 1970; what is finer is cut off. Without a zone it is UTC. NaN for what is no time, the 30th of February for instance. */
const timeOf = (cell: string): number => {
  const [, day, time, zone] = timeForm.exec(cell) ?? [];
  if (day === undefined || time === undefined) return NaN;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return NaN;
  const atMs = Date.parse(`${day}T${time.slice(0, 12)}${zone === undefined || zone === 'UTC' ? 'Z' : zone}`);
  return atMs >= 0 && atMs <= lastMomentMs ? atMs : NaN;
};
