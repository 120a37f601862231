import type { EventLog, LogBounds } from '../bus/event-log.ts';
import { emptySnapshot, type StateSnapshot } from '../domain/routing/snapshot.ts';
import { explainError, readClickhouse, withoutStatement } from '../projections/clickhouse.ts';
import { foldTail, snapshotFromClickhouse } from '../projections/state.ts';
import { usageError } from './exit-codes.ts';
import type { Located } from './locate.ts';
import { grouped } from './numbers.ts';

/** The state after exactly one sequence, made again the way a router does when it starts, and what it was made from. */
export type RebuiltState = {
  readonly snapshot: StateSnapshot;
  readonly from: 'clickhouse' | 'log';
  /** How far the sums of ClickHouse reached; null when the log alone was read. */
  readonly clickhouseSequence: number | null;
  readonly entriesRead: number;
  readonly tookMs: number;
};

export type RebuildParts = {
  readonly located: Located;
  readonly log: EventLog;
  readonly bounds: LogBounds;
  readonly to: number;
  readonly logAlone: boolean;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
};

export const rebuildState = async (parts: RebuildParts): Promise<RebuiltState> => {
  const { bounds, to } = parts;
  const startedAtMs = performance.now();
  const sums = parts.logAlone ? null : await sumsOfClickhouse(parts);
  if (sums === null && to < bounds.first - 1)
    throw usageError(`--at: expected a place in the log, which begins at ${bounds.first}; got ${to}`);
  if (sums === null && bounds.first > 1) parts.note(`the log begins at ${bounds.first}: what was before it is known to ClickHouse alone`);
  const base = sums ?? { ...emptySnapshot, sequence: bounds.first - 1 };
  const snapshot = await foldFrom(base, parts);
  return {
    snapshot,
    from: sums === null ? 'log' : 'clickhouse',
    clickhouseSequence: sums?.sequence ?? null,
    entriesRead: snapshot.sequence - base.sequence,
    tookMs: performance.now() - startedAtMs,
  };
};

/** Takes seconds: whoever waits is told what for. */
const manyMessages = 50_000;

const foldFrom = async (base: StateSnapshot, { log, to, signal, note }: RebuildParts): Promise<StateSnapshot> => {
  if (to - base.sequence > manyMessages) note(`folding ${grouped(to - base.sequence)} messages of the log`);
  const snapshot = await foldTail(log, base, {
    to,
    signal,
    onMissing: ({ expected, seen }) => {
      note(`the log lacks ${seen - expected === 1 ? `message ${expected}` : `messages ${expected} to ${seen - 1}`}: they have no effect`);
    },
  });
  signal.throwIfAborted();
  return snapshot;
};

/** What ClickHouse holds up to at most `to`. Null, with a note that says why, when it cannot be asked or does not fit to this log: the log alone is enough. */
const sumsOfClickhouse = async ({ located, bounds, to, note }: RebuildParts): Promise<StateSnapshot | null> => {
  const { settings, sql } = located;
  const { database, user, queryTimeoutMs } = settings.config.clickhouse;
  const address = { kind: 'server', url: sql.url, database, user, password: settings.secrets.clickhousePassword } as const;
  const clickhouse = readClickhouse(address, { requestTimeoutMs: queryTimeoutMs });
  try {
    const projected = await snapshotFromClickhouse(clickhouse, { atSequence: to });
    const reached = projected?.snapshot.sequence ?? 0;
    if (projected?.streamCreatedAt !== bounds.createdAt)
      note('ClickHouse holds another log than this one, or nothing yet: the log alone is read');
    else if (reached < Math.min(to, bounds.first - 1))
      note(`ClickHouse ends at ${reached} and the log begins at ${bounds.first}: the log alone is read`);
    else return projected.snapshot;
    return null;
  } catch (error) {
    const reason =
      settings.config.logLevel === 'debug' || settings.config.logLevel === 'trace'
        ? explainError(error)
        : withoutStatement(explainError(error));
    note(`ClickHouse at ${sql.url} (${sql.source}) cannot be asked, the log alone is read: ${reason}`);
    return null;
  } finally {
    await clickhouse.close();
  }
};
