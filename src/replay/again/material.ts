import type { EventLog, LogBounds } from '../../bus/event-log.ts';
import { sequence, type Sequence } from '../../events/index.ts';
import { emptySnapshot, type StateSnapshot } from '../../domain/routing/snapshot.ts';
import { wholeNumber, type Clickhouse } from '../../projections/clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf, type Span } from '../../projections/epochs.ts';
import { TransientError } from '../../errors.ts';
import { checkpointOf } from '../../projections/position.ts';
import { snapshotFromClickhouse } from '../../projections/state.ts';
import { tables } from '../../projections/table.ts';
import type { BriefMessage } from './brief.ts';
import { briefOfRows } from './brief-of-rows.ts';
import { messagesOfRows } from './messages-of-rows.ts';
import { messagesOfLog, type Message, type MessageRange } from './messages.ts';
import { stateLagMessages } from './walk.ts';

/**
 * All that is known of one log: what it still holds itself, and the rows of ClickHouse, which remember what has aged out of it. Rows of another log, or of messages that this one lost, are none of it:
 * `leftOut` then says why the log stands alone.
 */
export type Material = {
  /** Of the two together. */
  readonly bounds: LogBounds;
  readonly leftOut: string | null;
  /** The first message stored at or after a time; null when there is none. */
  readonly sequenceAt: (timeMs: number) => Promise<Sequence | null>;
  /** How far states lie behind the decisions of a period, at most: for `walkDecisions`, which holds so many messages. */
  readonly longestLag: (period: { readonly from: number; readonly to: number }) => Promise<number>;
  /** A state at most so late, and exactly what all messages up to its sequence make, but for `missing`. */
  readonly stateUpTo: (sequence: number) => Promise<Base>;
  readonly read: (range: MessageRange) => AsyncIterable<Message>;
  /** The same for another policy that decides: faster where there are rows. */
  readonly readBrief: (range: MessageRange) => AsyncIterable<BriefMessage>;
};

export type Base = {
  readonly snapshot: StateSnapshot;
  readonly from: 'clickhouse' | 'log';
  /** Messages up to there that neither log nor ClickHouse holds: what they said is not in the state. */
  readonly missing: number;
};

export type MaterialOptions = {
  readonly log: EventLog;
  /** Null: the log alone. */
  readonly clickhouse: Clickhouse | null;
  /** Where both hold a message. The log is the truth, rows are read faster. */
  readonly prefer: 'log' | 'rows';
};

export const openMaterial = async ({ log, clickhouse, prefer }: MaterialOptions): Promise<Material> => {
  const bounds = await log.bounds();
  const ofLog =
    <Read>(readAged: (range: MessageRange) => AsyncIterable<Read>) =>
    (range: MessageRange): AsyncIterable<Message | Read> =>
      bounds.first <= range.from && range.from <= bounds.last
        ? withAged(messagesOfLog(log, range), { ...range, to: Math.min(range.to, bounds.last) }, readAged)
        : messagesOfLog(log, range);
  const ofLogAlone = (leftOut: string | null): Material => ({
    bounds,
    leftOut,
    sequenceAt: log.sequenceAt,
    longestLag: async () => stateLagMessages,
    stateUpTo: async () => stateOfLog(bounds),
    read: ofLog(refuseAged),
    readBrief: ofLog(refuseAged),
  });
  if (clickhouse === null) return ofLogAlone(null);
  const rows = await rowsOf(clickhouse, log, bounds);
  if (rows.kind === 'of-another-log') return ofLogAlone(rows.reason);
  const { spans, first, last } = rows;
  const fromBoth = <Read>(range: MessageRange, readRows: ReadRows<Read>): AsyncIterable<Message | Read> => {
    const ofRows = (part: MessageRange): AsyncIterable<Message | Read> => readRows(clickhouse, spans, part);
    const readLog = ofLog((aged) => (first <= aged.from && aged.to <= last ? ofRows(aged) : refuseAged(aged)));
    const seam = prefer === 'rows' ? last : Math.min(last, bounds.first - 1);
    // Rows may have begun later than the log, and then serve for speed alone.
    const begin = seam < first ? seam + 1 : first;
    const { from, to } = range;
    const parts = [
      { from: Math.max(from, bounds.first), to: Math.min(to, begin - 1), read: readLog },
      { from: Math.max(from, begin), to: Math.min(to, seam), read: ofRows },
      { from: Math.max(from, seam + 1, bounds.first), to, read: readLog },
    ].filter((part) => part.from <= part.to);
    return inTurn(parts.map((part) => () => part.read({ ...range, from: part.from, to: part.to })));
  };
  return {
    bounds: { ...bounds, first: sequence(Math.min(first, bounds.first)) },
    leftOut: null,
    sequenceAt: async (timeMs) => (await sequenceInRows(clickhouse, spans, timeMs)) ?? log.sequenceAt(timeMs),
    // Of decisions that have no row yet nobody knows before they are read.
    longestLag: async ({ from, to }) => (to > last ? stateLagMessages : lagInRows(clickhouse, spans, from, to)),
    stateUpTo: async (to) => {
      const projected = await snapshotFromClickhouse(clickhouse, { atSequence: to });
      const snapshot = projected?.snapshot ?? emptySnapshot;
      const missing = snapshot.sequence - (await messagesUpTo(clickhouse, spans, snapshot.sequence));
      // Rows may have begun later than the log.
      const isLate = snapshot.sequence > to || (missing > 0 && bounds.first === 1);
      return isLate ? stateOfLog(bounds) : { snapshot, from: 'clickhouse', missing };
    },
    read: (range) => fromBoth(range, messagesOfRows),
    readBrief: (range) => fromBoth(range, briefOfRows),
  };
};

type ReadRows<Read> = (clickhouse: Clickhouse, spans: readonly Span[], range: MessageRange) => AsyncIterable<Read>;

/** One alone is handed out as it is: each step on the way of a message takes its time. */
const inTurn = <Read>(parts: readonly (() => AsyncIterable<Read>)[]): AsyncIterable<Read> => {
  const [first, ...others] = parts;
  return first !== undefined && others.length === 0 ? first() : allInTurn(parts);
};

async function* allInTurn<Read>(parts: readonly (() => AsyncIterable<Read>)[]): AsyncGenerator<Read, void, undefined> {
  for (const part of parts) yield* part();
}

/**
 * A log that ages loses its first messages while others are read: what was there when its bounds were looked at, and is not when its turn comes, is read elsewhere. Whoever reads is quicker than whoever writes, and not
 * overtaken later on.
 */
async function* withAged<Read>(
  messages: AsyncGenerator<Message, void, undefined>,
  range: MessageRange,
  readAged: (range: MessageRange) => AsyncIterable<Read>,
): AsyncGenerator<Message | Read, void, undefined> {
  try {
    const first = await messages.next();
    const begin = first.done === true ? range.to + 1 : first.value.sequence;
    if (begin > range.from) yield* readAged({ ...range, to: begin - 1 });
    if (first.done === true) return;
    yield first.value;
    yield* messages;
  } finally {
    await messages.return();
  }
}

const refuseAged = ({ from, to }: MessageRange): never => {
  throw new TransientError(
    'log_aged',
    `messages ${from} to ${to} left the log while it was read, which keeps them for log.maxAgeDays, and ClickHouse does not hold them: run it again`,
    0,
  );
};

/** The fold of the log begins where it does. */
const stateOfLog = ({ first }: LogBounds): Base => ({
  snapshot: { ...emptySnapshot, sequence: first - 1 },
  from: 'log',
  missing: first - 1,
});

type Rows =
  | { readonly kind: 'of-this-log'; readonly spans: readonly Span[]; readonly first: number; readonly last: number }
  | { readonly kind: 'of-another-log'; readonly reason: string };

const rowsOf = async (clickhouse: Clickhouse, log: EventLog, bounds: LogBounds): Promise<Rows> => {
  const chain = currentChain(await readEpochs(clickhouse));
  const [begin] = chain;
  if (begin?.streamCreatedAt !== bounds.createdAt)
    return { kind: 'of-another-log', reason: 'ClickHouse holds another log than this one, or nothing yet' };
  const spans = spansOf(chain);
  const last = Math.min(await checkpointOf(clickhouse, spans), bounds.last);
  if (!(await isSame(clickhouse, log, spans, last)))
    return { kind: 'of-another-log', reason: `ClickHouse holds another message than the log at ${last}: messages of the log were lost` };
  return { kind: 'of-this-log', spans, first: begin.firstSequence, last };
};

/** Messages are lost from the end: where the last of both is the same, all before it are. */
const isSame = async (clickhouse: Clickhouse, log: EventLog, spans: readonly Span[], last: number): Promise<boolean> => {
  const entry = last < 1 ? null : await log.at(sequence(last));
  if (entry === null) return true;
  const [row] = await clickhouse.rows(
    `SELECT toUnixTimestamp64Milli(max(stored_at)) AS stored_at_ms FROM ${tables.events} WHERE ${inSpans(spans)} AND sequence = ${last}`,
  );
  return wholeNumber(row, 'stored_at_ms') === entry.storedAtMs;
};

const sequenceInRows = async (clickhouse: Clickhouse, spans: readonly Span[], timeMs: number): Promise<Sequence | null> => {
  const [row] = await clickhouse.rows(
    `SELECT min(sequence) AS first, count() AS n FROM ${tables.events} WHERE ${inSpans(spans)} AND stored_at >= fromUnixTimestamp64Milli(${Math.floor(timeMs)}::Int64)`,
  );
  return wholeNumber(row, 'n') === 0 ? null : sequence(wholeNumber(row, 'first'));
};

const lagInRows = async (clickhouse: Clickhouse, spans: readonly Span[], from: number, to: number): Promise<number> => {
  const [row] = await clickhouse.rows(
    `SELECT max(toInt64(sequence) - toInt64(state_sequence)) AS lag FROM ${tables.events} WHERE ${inSpans(spans)} AND sequence BETWEEN ${from} AND ${to} AND type = 'route.decided'`,
  );
  return Math.min(stateLagMessages, Math.max(1, wholeNumber(row, 'lag')));
};

/** Every message has a row of index 0. */
const messagesUpTo = async (clickhouse: Clickhouse, spans: readonly Span[], last: number): Promise<number> => {
  const [row] = await clickhouse.rows(
    `SELECT count() AS n FROM ${tables.events} WHERE ${inSpans(spans)} AND sequence <= ${last} AND event_index = 0`,
  );
  return wholeNumber(row, 'n');
};
