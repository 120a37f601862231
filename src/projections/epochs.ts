import { literal, wholeNumber, type Clickhouse } from './clickhouse.ts';
import { tables } from './table.ts';

/**
 * The lives of the log, as the table `stream_epochs` keeps them. A row of events carries the epoch it was read in. All epochs with the same
 * `streamCreatedAt` are of one log: each begins at its first sequence and ends where the next of that log begins. Epochs of earlier logs stay as history.
 *
 * Law: after `sweep`, the rows of the current log's epochs hold each sequence in one epoch only.
 */
export type Epoch = {
  readonly epoch: number;
  /** `createdAt` of the log. */
  readonly streamCreatedAt: string;
  readonly firstSequence: number;
  readonly reason: EpochReason;
};

export const epochReasons = ['first', 'new-log', 'log-tail-lost', 'log-aged-out', 'rows-lost'] as const;
export type EpochReason = (typeof epochReasons)[number];

export const readEpochs = async (clickhouse: Clickhouse): Promise<readonly Epoch[]> => {
  const rows = await clickhouse.rows(
    `SELECT epoch, any(stream_created_at) AS stream_created_at, any(first_sequence) AS first_sequence, any(reason) AS reason FROM ${tables.epochs} GROUP BY epoch ORDER BY epoch`,
  );
  return rows.map((row) => ({
    epoch: wholeNumber(row, 'epoch'),
    streamCreatedAt: String(row['stream_created_at']),
    firstSequence: wholeNumber(row, 'first_sequence'),
    reason: epochReasons.find((reason) => reason === row['reason']) ?? 'first',
  }));
};

/** The epochs of the log that the last one belongs to. */
export const currentChain = (epochs: readonly Epoch[]): readonly Epoch[] => {
  const last = epochs.at(-1);
  return last === undefined ? [] : epochs.filter(({ streamCreatedAt }) => streamCreatedAt === last.streamCreatedAt);
};

/** Recorded before anything is done about it: whatever a crash leaves undone follows from this row. */
export const recordEpoch = async (clickhouse: Clickhouse, epoch: Epoch): Promise<void> => {
  await clickhouse.command(
    `INSERT INTO ${tables.epochs} SETTINGS async_insert = 0, insert_deduplication_token = ${literal(`epoch:${epoch.epoch}`)} VALUES (${epoch.epoch}, ${literal(epoch.streamCreatedAt)}, ${epoch.firstSequence}, now64(3), ${literal(epoch.reason)})`,
  );
};

/** The sequences that belong to each epoch of a log, both ends included; the last has no end. */
export type Span = { readonly epoch: number; readonly from: number; readonly to: number | null };

export const spansOf = (chain: readonly Epoch[]): readonly Span[] =>
  chain.map(({ epoch, firstSequence }, index) => {
    const next = chain.slice(index + 1).map((later) => later.firstSequence);
    return { epoch, from: firstSequence, to: next.length === 0 ? null : Math.min(...next) - 1 };
  });

/** The epoch that a sequence of the current log belongs to. */
export const epochOf = (spans: readonly Span[], sequence: number): number | null =>
  spans.find(({ from, to }) => sequence >= from && (to === null || sequence <= to))?.epoch ?? null;

/** Condition on the rows of the current log, each sequence once. */
export const inSpans = (spans: readonly Span[]): string =>
  spans.length === 0
    ? '0'
    : `(${spans
        .map(({ epoch, from, to }) => `(stream_epoch = ${epoch} AND sequence >= ${from}${to === null ? '' : ` AND sequence <= ${to}`})`)
        .join(' OR ')})`;

/**
 * Moves the rows that a later epoch of the same log took the place of out of `events`. Can be cut short anywhere and run again: rows are copied when they
 * are not there yet, and deleted after that. Gives back how many there were.
 */
export const sweep = async (clickhouse: Clickhouse, chain: readonly Epoch[]): Promise<number> => {
  const beyond = spansOf(chain).filter((span): span is Span & { readonly to: number } => span.to !== null);
  if (beyond.length === 0) return 0;
  const orphans = beyond.map(({ epoch, to }) => `(stream_epoch = ${epoch} AND sequence > ${to})`).join(' OR ');
  const [row] = await clickhouse.rows(`SELECT count() AS n FROM ${tables.events} WHERE ${orphans}`);
  const found = wholeNumber(row, 'n');
  if (found === 0) return 0;
  await clickhouse.command(
    `INSERT INTO ${tables.orphaned} SELECT * FROM ${tables.events} WHERE (${orphans}) AND (stream_epoch, sequence, event_index) NOT IN (SELECT stream_epoch, sequence, event_index FROM ${tables.orphaned}) SETTINGS async_insert = 0`,
  );
  await clickhouse.command(`ALTER TABLE ${tables.events} DELETE WHERE ${orphans} SETTINGS mutations_sync = 1`);
  return found;
};
