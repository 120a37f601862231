import { randomUUID } from 'node:crypto';
import type { EventLog } from '../bus/event-log.ts';
import { InvariantError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import type { BatchLimits, Entry } from './batch-buffer.ts';
import { identifier, wholeNumber, type Clickhouse } from './clickhouse.ts';
import { encodeEntry } from './encode-entry.ts';
import { currentChain, epochOf, inSpans, readEpochs, spansOf, type Span } from './epochs.ts';
import { insertStatement } from './event-writer.ts';
import { checkpointOf } from './position.ts';
import { tables } from './table.ts';

/**
 * Does the table hold what the log says? Converts a range of the log again, by the code that made the table, into a table beside it, and lets the engine
 * compare the two in both directions, column by column. Leaves nothing behind. Poison is compared by its position and its reason, like any row.
 */
export type Reconciliation = {
  readonly from: number;
  readonly to: number;
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
  readonly equal: boolean;
  /** The first few of each kind. */
  readonly examples: readonly ReconciliationExample[];
  readonly tookMs: number;
};

export type ReconciliationExample = {
  readonly kind: 'missing' | 'extra' | 'different';
  readonly sequence: number;
  readonly eventIndex: number;
  readonly columns: readonly { readonly column: string; readonly log: unknown; readonly table: unknown }[];
};

export const reconcile = async (options: {
  readonly clickhouse: Clickhouse;
  readonly log: EventLog;
  readonly limits: Pick<BatchLimits, 'rows' | 'bytes'>;
  /** Defaults: all that both the log and the table hold. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<Reconciliation> => {
  const { clickhouse, log } = options;
  const startedMs = Date.now();
  const bounds = await log.bounds();
  const spans = spansOf(currentChain(await readEpochs(clickhouse)));
  const from = Math.max(options.from ?? 1, bounds.first);
  const to = Math.min(options.to ?? (await checkpointOf(clickhouse, spans)), bounds.last);
  const scratch = `${scratchPrefix}${randomUUID().replaceAll('-', '')}`;
  await dropLeftovers(clickhouse);
  await clickhouse.command(`CREATE TABLE ${scratch} AS ${tables.events}`);
  let total = nothing;
  try {
    for (let low = from; low <= to; low += sliceSequences) {
      const slice = { low, high: Math.min(low + sliceSequences - 1, to) };
      await fill({ ...options, scratch, spans, slice });
      total = add(total, await compare(clickhouse, { scratch, spans, slice, examplesWanted: mostExamples - total.examples.length }));
      await clickhouse.command(`TRUNCATE TABLE ${scratch}`);
    }
  } finally {
    await clickhouse.command(`DROP TABLE IF EXISTS ${scratch} SYNC`);
  }
  const equal = total.missing + total.extra + total.different + total.duplicated === 0;
  return { from, to, ...total, equal, tookMs: Date.now() - startedMs };
};

const scratchPrefix = `${tables.events}_again_`;
const sliceSequences = 100_000;
const mostExamples = 10;

type Slice = { readonly low: number; readonly high: number };
type Totals = Pick<Reconciliation, 'rowsOfLog' | 'rowsOfTable' | 'missing' | 'extra' | 'different' | 'duplicated' | 'examples'>;

const nothing: Totals = { rowsOfLog: 0, rowsOfTable: 0, missing: 0, extra: 0, different: 0, duplicated: 0, examples: [] };

const add = (a: Totals, b: Totals): Totals => ({
  rowsOfLog: a.rowsOfLog + b.rowsOfLog,
  rowsOfTable: a.rowsOfTable + b.rowsOfTable,
  missing: a.missing + b.missing,
  extra: a.extra + b.extra,
  different: a.different + b.different,
  duplicated: a.duplicated + b.duplicated,
  examples: [...a.examples, ...b.examples],
});

/** What a reconciliation that was killed left behind. Only one runs at a time. */
const dropLeftovers = async (clickhouse: Clickhouse): Promise<void> => {
  const rows = await clickhouse.rows(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${scratchPrefix}')`,
  );
  for (const row of rows) await clickhouse.command(`DROP TABLE IF EXISTS ${identifier(String(row['name']))} SYNC`);
};

const fill = async (options: {
  readonly clickhouse: Clickhouse;
  readonly log: EventLog;
  readonly limits: Pick<BatchLimits, 'rows' | 'bytes'>;
  readonly scratch: string;
  readonly spans: readonly Span[];
  readonly slice: Slice;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> => {
  const { clickhouse, log, limits, scratch, spans, slice, signal } = options;
  let batch: Entry[] = [];
  let rows = 0;
  let bytes = 0;
  const flush = async () => {
    const [first] = batch;
    if (first === undefined) return;
    await clickhouse.insert(insertStatement(scratch, `${scratch}:${first.sequence}`), batch.map(({ lines }) => lines).join(''));
    batch = [];
    rows = 0;
    bytes = 0;
  };
  const range = { from: sequence(slice.low), to: sequence(slice.high), ...(signal === undefined ? {} : { signal }) };
  for await (const entry of log.read(range)) {
    const epoch = epochOf(spans, entry.sequence);
    if (epoch === null) throw new InvariantError(`expected sequence ${entry.sequence} to belong to an epoch of the log`);
    const encoded = encodeEntry(entry, epoch);
    batch.push(encoded);
    rows += encoded.rows;
    bytes += encoded.lines.length;
    if (rows >= limits.rows || bytes >= limits.bytes) await flush();
  }
  await flush();
};

const compare = async (
  clickhouse: Clickhouse,
  {
    scratch,
    spans,
    slice,
    examplesWanted,
  }: { readonly scratch: string; readonly spans: readonly Span[]; readonly slice: Slice; readonly examplesWanted: number },
): Promise<Totals> => {
  const mine = `${inSpans(spans)} AND sequence BETWEEN ${slice.low} AND ${slice.high}`;
  const events = `SELECT sequence, event_index, countIf(of_log) AS in_log, countIf(NOT of_log) AS in_table, anyIf(hash, of_log) AS log_hash, anyIf(hash, NOT of_log) AS table_hash
    FROM (SELECT true AS of_log, sequence, event_index, cityHash64(*) AS hash FROM ${scratch} UNION ALL SELECT false AS of_log, sequence, event_index, cityHash64(*) AS hash FROM ${tables.events} WHERE ${mine})
    GROUP BY sequence, event_index`;
  const [row] = await clickhouse.rows(
    `SELECT sum(in_log) AS rows_of_log, sum(in_table) AS rows_of_table, countIf(in_table = 0) AS missing, countIf(in_log = 0) AS extra,
      countIf(in_log > 0 AND in_table > 0 AND log_hash != table_hash) AS different, sumIf(in_table - 1, in_table > 1) AS duplicated FROM (${events})`,
  );
  const found = await clickhouse.rows(
    `SELECT sequence, event_index, multiIf(in_table = 0, 'missing', in_log = 0, 'extra', 'different') AS kind FROM (${events})
      WHERE in_table = 0 OR in_log = 0 OR log_hash != table_hash ORDER BY sequence, event_index LIMIT ${Math.max(0, examplesWanted)}`,
  );
  const examples: ReconciliationExample[] = [];
  for (const one of found) {
    const at = { sequence: wholeNumber(one, 'sequence'), eventIndex: wholeNumber(one, 'event_index') };
    const kind = kindOf(one['kind']);
    examples.push({ kind, ...at, columns: kind === 'different' ? await differingColumns(clickhouse, scratch, mine, at) : [] });
  }
  return {
    rowsOfLog: wholeNumber(row, 'rows_of_log'),
    rowsOfTable: wholeNumber(row, 'rows_of_table'),
    missing: wholeNumber(row, 'missing'),
    extra: wholeNumber(row, 'extra'),
    different: wholeNumber(row, 'different'),
    duplicated: wholeNumber(row, 'duplicated'),
    examples,
  };
};

const kindOf = (kind: unknown): ReconciliationExample['kind'] => (kind === 'missing' || kind === 'extra' ? kind : 'different');

const differingColumns = async (
  clickhouse: Clickhouse,
  scratch: string,
  mine: string,
  at: { readonly sequence: number; readonly eventIndex: number },
): Promise<ReconciliationExample['columns']> => {
  const where = `sequence = ${at.sequence} AND event_index = ${at.eventIndex}`;
  const [log = {}] = await clickhouse.rows(`SELECT * FROM ${scratch} WHERE ${where} LIMIT 1`);
  const [table = {}] = await clickhouse.rows(`SELECT * FROM ${tables.events} WHERE ${mine} AND ${where} LIMIT 1`);
  return Object.keys(log)
    .filter((column) => log[column] !== table[column])
    .map((column) => ({ column, log: log[column], table: table[column] }));
};
