import type { Logger } from 'pino';
import type { EventLog, LogBounds, LogEntry } from '../bus/event-log.ts';
import { sequence } from '../events/index.ts';
import { wholeNumber, type Clickhouse, type Row } from './clickhouse.ts';
import { currentChain, inSpans, readEpochs, recordEpoch, spansOf, sweep, type Epoch, type EpochReason, type Span } from './epochs.ts';
import { firstWhere } from './first-where.ts';
import { poisonType, tables } from './table.ts';

/**
 * Where the projection stands, read from the table alone, and whether the log is still the one that the table was made from. Four things can have happened
 * while nobody looked; each opens an epoch, which is recorded first and acted upon second:
 *
 * new-log        the log was made anew: its sequences begin at 1 again. What is there stays, as history.
 * rows-lost      the table lacks rows (a power cut took parts of it): they are read from the log again, from the first gap on.
 * log-tail-lost  the log lacks its last messages (a power cut took them) and has given their sequences to others, or will: the rows of lost messages are
 *                set aside, from the first difference on.
 * log-aged-out   the log no longer holds what follows the last row: the gap is recorded and cannot be filled.
 */
export type Position = {
  readonly epoch: number;
  readonly chain: readonly Epoch[];
  /** Last sequence in the table; just before the first one of the epoch when there is none. */
  readonly checkpoint: number;
  /** When the log took it; null when there is none. */
  readonly checkpointStoredAtMs: number | null;
};

export const openPosition = async (clickhouse: Clickhouse, log: EventLog, logger: Logger): Promise<Position> => {
  const bounds = await log.bounds();
  let epochs = await readEpochs(clickhouse);
  const open = async (firstSequence: number, reason: EpochReason) => {
    const epoch: Epoch = { epoch: (epochs.at(-1)?.epoch ?? 0) + 1, streamCreatedAt: bounds.createdAt, firstSequence, reason };
    await recordEpoch(clickhouse, epoch);
    epochs = [...epochs, epoch];
    const orphaned = await sweep(clickhouse, currentChain(epochs));
    logger[reason === 'first' ? 'info' : 'warn']({ ...epoch, orphaned }, `opened epoch ${epoch.epoch} of the log: ${reason}`);
  };

  const last = epochs.at(-1);
  if (last === undefined) await open(bounds.first, 'first');
  else if (last.streamCreatedAt !== bounds.createdAt) await open(bounds.first, 'new-log');
  else await sweep(clickhouse, currentChain(epochs));

  const gap = await firstGap(clickhouse, log, spansOf(currentChain(epochs)), bounds);
  if (gap !== null) await open(gap, 'rows-lost');

  const divergence = await firstDivergence(clickhouse, log, spansOf(currentChain(epochs)), bounds);
  if (divergence !== null) await open(divergence, 'log-tail-lost');

  const missed = await checkpointOf(clickhouse, spansOf(currentChain(epochs)));
  if (bounds.first > missed + 1) await open(bounds.first, 'log-aged-out');

  const chain = currentChain(epochs);
  const epoch = chain.at(-1);
  if (epoch === undefined) throw new TypeError('expected an epoch to be open');
  const checkpoint = await checkpointOf(clickhouse, spansOf(chain));
  const [row] = await clickhouse.rows(
    `SELECT toUnixTimestamp64Milli(max(stored_at)) AS ms FROM ${tables.events} WHERE stream_epoch = ${epoch.epoch} AND sequence = ${checkpoint}`,
  );
  return { epoch: epoch.epoch, chain, checkpoint, checkpointStoredAtMs: wholeNumber(row, 'ms') || null };
};

/** The last sequence of the current log that is in the table; just before its first one when there is none. */
export const checkpointOf = async (clickhouse: Clickhouse, spans: readonly Span[]): Promise<number> => {
  const current = spans.at(-1);
  if (current === undefined) return 0;
  const [row] = await clickhouse.rows(`SELECT max(sequence) AS last FROM ${tables.events} WHERE stream_epoch = ${current.epoch}`);
  return Math.max(wholeNumber(row, 'last'), current.from - 1);
};

/**
 * The first sequence without a row that the log still holds, between the first of the log and the last in the table. Holes that the log has itself stay.
 */
const firstGap = async (clickhouse: Clickhouse, log: EventLog, spans: readonly Span[], bounds: LogBounds): Promise<number | null> => {
  const to = await checkpointOf(clickhouse, spans);
  const missing = async (low: number, high: number) => {
    if (low > high) return 0;
    // In the order of the table, so that it takes no memory however long the log is.
    const [row] = await clickhouse.rows(
      `SELECT count() AS n FROM (SELECT stream_epoch, sequence FROM ${tables.events} WHERE ${inSpans(spans)} AND sequence BETWEEN ${low} AND ${high} GROUP BY stream_epoch, sequence SETTINGS optimize_aggregation_in_order = 1)`,
    );
    return high - low + 1 - wholeNumber(row, 'n');
  };
  let from = Math.max(bounds.first, spans[0]?.from ?? 1);
  for (let holes = 0; holes < mostHoles && (await missing(from, to)) > 0; holes++) {
    const start = from;
    const gap = await firstWhere(from, to, async (candidate) => (await missing(start, candidate)) > 0);
    if ((await log.at(sequence(gap))) !== null) return gap;
    from = gap + 1;
  }
  return null;
};

const mostHoles = 100;

/**
 * The first sequence whose row is of another message than the log holds there. Messages are lost from the end, so that all before the first difference
 * agree and all after it differ.
 */
const firstDivergence = async (
  clickhouse: Clickhouse,
  log: EventLog,
  spans: readonly Span[],
  bounds: LogBounds,
): Promise<number | null> => {
  const from = Math.max(bounds.first, spans[0]?.from ?? 1);
  const to = await checkpointOf(clickhouse, spans);
  const differs = async (candidate: number) => {
    if (candidate > bounds.last) return true;
    const [row] = await clickhouse.rows(
      `SELECT id, type, toUnixTimestamp64Milli(stored_at) AS stored_at_ms FROM ${tables.events} WHERE ${inSpans(spans)} AND sequence = ${candidate} AND event_index = 0`,
    );
    return !isOf(row, await log.at(sequence(candidate)));
  };
  if (to < from || !(await differs(to))) return null;
  return firstWhere(from, to, differs);
};

/** The moment at which the log took a message is part of it. Ids are compared where both sides have understood the message. */
const isOf = (row: Row | undefined, entry: LogEntry | null): boolean =>
  row !== undefined &&
  entry !== null &&
  Number(row['stored_at_ms']) === entry.storedAtMs &&
  (entry.kind === 'poison' || row['type'] === poisonType || row['id'] === entry.events[0].id);
