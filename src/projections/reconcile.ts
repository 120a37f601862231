import { randomUUID } from 'node:crypto';
import type { EventLog } from '../bus/event-log.ts';
import { InvariantError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import type { BatchLimits, Entry } from './batch-buffer.ts';
import { identifier, type Clickhouse } from './clickhouse.ts';
import { compareTables, type Difference, type Slice } from './compare-tables.ts';
import { encodeEntry } from './encode-entry.ts';
import { currentChain, epochOf, readEpochs, spansOf, type Span } from './epochs.ts';
import { insertStatement } from './event-writer.ts';
import { checkpointOf } from './position.ts';
import { tables } from './table.ts';
import { readChecks } from './understand.ts';

/**
 * Does the table hold what the log says? Converts a range of the log again, by the code that made the table, into a table beside it, and lets the engine
 * compare the two in both directions, column by column. Leaves nothing behind. Poison is compared by its position and its reason, like any row.
 */
export type Reconciliation = Difference & { readonly from: number; readonly to: number; readonly equal: boolean; readonly tookMs: number };

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
      total = add(total, await compareTables(clickhouse, { scratch, spans, slice, examplesWanted: mostExamples - total.examples.length }));
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

const nothing: Difference = { rowsOfLog: 0, rowsOfTable: 0, missing: 0, extra: 0, different: 0, duplicated: 0, examples: [] };

const add = (a: Difference, b: Difference): Difference => ({
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
  const range = { from: sequence(slice.low), to: sequence(slice.high), checks: readChecks, ...(signal === undefined ? {} : { signal }) };
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
