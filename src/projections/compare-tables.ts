import { wholeNumber, type Clickhouse } from './clickhouse.ts';
import { inSpans, type Span } from './epochs.ts';
import { columnsHash, differentWhenRaised } from './raised-rows.ts';
import { tables } from './table.ts';

/** Compares a slice of `events` with a table of the same columns that was made from the log, in both directions, inside the engine. */
export type Difference = {
  readonly rowsOfLog: number;
  readonly rowsOfTable: number;
  /** In the log, not in the table. */
  readonly missing: number;
  /** In the table, not in the log. */
  readonly extra: number;
  /** In both, with other content. */
  readonly different: number;
  /** More than one row for the same event. */
  readonly duplicated: number;
  /** The first few of each kind. */
  readonly examples: readonly DifferenceExample[];
};

export type DifferenceExample = {
  readonly kind: 'missing' | 'extra' | 'different';
  readonly sequence: number;
  readonly eventIndex: number;
  readonly columns: readonly { readonly column: string; readonly log: unknown; readonly table: unknown }[];
};

/** Both ends included. */
export type Slice = { readonly low: number; readonly high: number };

export const compareTables = async (
  clickhouse: Clickhouse,
  {
    scratch,
    spans,
    slice,
    examplesWanted,
  }: { readonly scratch: string; readonly spans: readonly Span[]; readonly slice: Slice; readonly examplesWanted: number },
): Promise<Difference> => {
  const mine = `${inSpans(spans)} AND sequence BETWEEN ${slice.low} AND ${slice.high}`;
  const hashes = `sequence, event_index, schema_version AS version, cityHash64(data) AS facts, ${columnsHash} AS columns`;
  const events = `SELECT sequence, event_index, countIf(of_log) AS in_log, countIf(NOT of_log) AS in_table,
      anyIf((columns, version, facts), of_log) AS log, anyIf((columns, version, facts), NOT of_log) AS stored, ${isDifferent} AS differs
    FROM (SELECT true AS of_log, ${hashes} FROM ${scratch} UNION ALL SELECT false AS of_log, ${hashes} FROM ${tables.events} WHERE ${mine})
    GROUP BY sequence, event_index`;
  const [row] = await clickhouse.rows(
    `SELECT sum(in_log) AS rows_of_log, sum(in_table) AS rows_of_table, countIf(in_table = 0) AS missing, countIf(in_log = 0) AS extra,
      countIf(in_log > 0 AND in_table > 0 AND differs) AS different, sumIf(in_table - 1, in_table > 1) AS duplicated FROM (${events})`,
  );
  const found = await clickhouse.rows(
    `SELECT sequence, event_index, multiIf(in_table = 0, 'missing', in_log = 0, 'extra', 'different') AS kind FROM (${events})
      WHERE in_table = 0 OR in_log = 0 OR differs ORDER BY sequence, event_index LIMIT ${Math.max(0, examplesWanted)}`,
  );
  const examples: DifferenceExample[] = [];
  for (const one of found) {
    const at = { sequence: wholeNumber(one, 'sequence'), eventIndex: wholeNumber(one, 'event_index') };
    const kind = kindOf(one['kind']);
    examples.push({ kind, ...at, columns: kind === 'different' ? await differingColumns(clickhouse, scratch, mine, at) : [] });
  }
  let raised = 0;
  for await (const at of differentWhenRaised(clickhouse, { scratch, mine })) {
    raised++;
    if (examples.length < examplesWanted)
      examples.push({ kind: 'different', ...at, columns: await differingColumns(clickhouse, scratch, mine, at) });
  }
  return {
    rowsOfLog: wholeNumber(row, 'rows_of_log'),
    rowsOfTable: wholeNumber(row, 'rows_of_table'),
    missing: wholeNumber(row, 'missing'),
    extra: wholeNumber(row, 'extra'),
    different: wholeNumber(row, 'different') + raised,
    duplicated: wholeNumber(row, 'duplicated'),
    examples,
  };
};

/**
 * A row that was written when its event had an older version holds the facts of that version, and in its columns what they are raised to: only these are compared here, and the facts once they are raised (raised-rows.ts).
 * The log is always read in the present version.
 */
const isDifferent = '(log.1 != stored.1 OR log.2 < stored.2 OR (log.2 = stored.2 AND log.3 != stored.3))';

const kindOf = (kind: unknown): DifferenceExample['kind'] => (kind === 'missing' || kind === 'extra' ? kind : 'different');

const differingColumns = async (
  clickhouse: Clickhouse,
  scratch: string,
  mine: string,
  at: { readonly sequence: number; readonly eventIndex: number },
): Promise<DifferenceExample['columns']> => {
  const where = `sequence = ${at.sequence} AND event_index = ${at.eventIndex}`;
  const [log = {}] = await clickhouse.rows(`SELECT * FROM ${scratch} WHERE ${where} LIMIT 1`);
  const [table = {}] = await clickhouse.rows(`SELECT * FROM ${tables.events} WHERE ${mine} AND ${where} LIMIT 1`);
  return Object.keys(log)
    .filter((column) => JSON.stringify(log[column]) !== JSON.stringify(table[column]))
    .map((column) => ({ column, log: log[column], table: table[column] }));
};
