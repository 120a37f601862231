import type { EventLog } from '../bus/event-log.ts';
import { emptySnapshot, snapshotOf, stateOf, type StateSnapshot } from '../domain/routing/snapshot.ts';
import { evolveRouter, foldEvent } from '../domain/routing/state.ts';
import { sequence } from '../events/index.ts';
import { wholeNumber, type Clickhouse } from './clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf } from './epochs.ts';
import { latestRecords, latestRewardTick, latestTrial, sumBlocks, sumRequests, sumTrial } from './state-sums.ts';
import { poisonType, tables } from './table.ts';

/**
 * The state of the router from ClickHouse, and from the log: two ways to the same numbers. All of it is sums of whole numbers, or the event with the highest number, so that neither order nor
 * grouping matters.
 *
 * Which rows count: those of the current log, all its epochs, up to one sequence. Rows of earlier logs are history that a fold of this log would not
 * contain, and a decision names the sequence of this log that its state is the fold of; `logs: 'all'` counts their requests and rewards too, for questions of people. Rows that
 * have aged out of the log still count: ClickHouse remembers more than the log then, and says so by the same sequence.
 */
export type ProjectedState = {
  readonly snapshot: StateSnapshot;
  /** `createdAt` of the log that the sequence is of. */
  readonly streamCreatedAt: string;
  /** What the table holds at that sequence, for comparing with the log; null when that is nothing. */
  readonly at: { readonly storedAtMs: number; readonly eventId: string; readonly understood: boolean } | null;
};

/** Null before the projector has opened an epoch. Plain SELECTs: works over the read-only interface. */
export const snapshotFromClickhouse = async (
  clickhouse: Clickhouse,
  options: { readonly atSequence?: number | undefined; readonly atTimeMs?: number | undefined; readonly logs?: 'current' | 'all' } = {},
): Promise<ProjectedState | null> => {
  const epochs = await readEpochs(clickhouse);
  const chain = currentChain(epochs);
  const current = chain.at(-1);
  if (current === undefined) return null;
  const mine = inSpans(spansOf(chain));
  const bounds = [
    mine,
    ...(options.atSequence === undefined ? [] : [`sequence <= ${whole(options.atSequence)}`]),
    ...(options.atTimeMs === undefined ? [] : [`stored_at <= fromUnixTimestamp64Milli(${whole(options.atTimeMs)})`]),
  ].join(' AND ');
  const [last] = await clickhouse.rows(
    `SELECT sequence, id, type, toUnixTimestamp64Milli(stored_at) AS stored_at_ms FROM ${tables.events} WHERE ${bounds} ORDER BY stream_epoch DESC, sequence DESC, event_index LIMIT 1`,
  );
  const reached = last === undefined ? Math.max(0, (chain[0]?.firstSequence ?? 1) - 1) : wholeNumber(last, 'sequence');
  // Rows up to a sequence that was there a moment ago are all there: sums may be taken some queries later.
  const ofThisLog = `${mine} AND sequence <= ${reached}`;
  const counted =
    options.logs === 'all' ? `(NOT stream_epoch IN (${chain.map(({ epoch }) => epoch).join(', ')}) OR (${ofThisLog}))` : ofThisLog;
  return {
    snapshot: await sumState(clickhouse, { reached, counted, ofThisLog }),
    streamCreatedAt: current.streamCreatedAt,
    at:
      last === undefined
        ? null
        : { storedAtMs: wholeNumber(last, 'stored_at_ms'), eventId: String(last['id']), understood: last['type'] !== poisonType },
  };
};

/** Policies, canaries and paces are numbered anew in each log: those of earlier ones never count. */
const sumState = async (
  clickhouse: Clickhouse,
  { reached, counted, ofThisLog }: { readonly reached: number; readonly counted: string; readonly ofThisLog: string },
): Promise<StateSnapshot> => {
  const latestTick = await latestRewardTick(clickhouse, counted);
  const records = await latestRecords(clickhouse, ofThisLog);
  const started = records.map(({ event }) => (event.type === 'policy.canary_started' ? event.data.change : 0));
  const state = stateOf({
    ...emptySnapshot,
    ...(await sumRequests(clickhouse, counted)),
    sequence: reached,
    latestTick,
    blocks: await sumBlocks(clickhouse, counted, latestTick),
    trial: await sumTrial(clickhouse, ofThisLog, Math.max(await latestTrial(clickhouse, ofThisLog), ...started)),
  });
  // None of them is filed by time.
  for (const { event } of records) foldEvent(state, event, Number.POSITIVE_INFINITY);
  return snapshotOf(state);
};

/**
 * A state that may be built upon: null when the table was made from another log than this, or from messages that this one lost. Then the log alone counts.
 */
export const trustedSnapshot = async (clickhouse: Clickhouse, log: EventLog): Promise<StateSnapshot | null> => {
  const projected = await snapshotFromClickhouse(clickhouse);
  if (projected === null) return null;
  const { snapshot, streamCreatedAt, at } = projected;
  const bounds = await log.bounds();
  if (streamCreatedAt !== bounds.createdAt || snapshot.sequence > bounds.last) return null;
  if (at !== null && snapshot.sequence >= bounds.first) {
    const entry = await log.at(sequence(snapshot.sequence));
    if (entry === null || entry.storedAtMs !== at.storedAtMs) return null;
    if (entry.kind === 'events' && at.understood && entry.events[0].id !== at.eventId) return null;
  }
  return snapshot;
};

export type FoldOptions = {
  /** Defaults to the end of the log. */
  readonly to?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each hole in the log: a message that somebody took out of it, or that has aged out, has a sequence and no effect. */
  readonly onMissing?: ((hole: { readonly expected: number; readonly seen: number }) => void) | undefined;
};

/** Folds what the log holds after `base`, by the router's own fold. */
export const foldTail = async (
  log: EventLog,
  base: StateSnapshot,
  { signal, onMissing, ...options }: FoldOptions = {},
): Promise<StateSnapshot> => {
  const to = options.to ?? (await log.bounds()).last;
  if (to <= base.sequence) return base;
  const state = stateOf(base);
  const range = { from: sequence(base.sequence + 1), to: sequence(to), ...(signal === undefined ? {} : { signal }) };
  for await (const entry of log.read(range)) {
    const expected = state.sequence + 1;
    if (entry.sequence > expected) {
      onMissing?.({ expected, seen: entry.sequence });
      state.sequence = entry.sequence - 1;
    }
    evolveRouter(state, { sequence: entry.sequence, storedAtMs: entry.storedAtMs, events: entry.kind === 'events' ? entry.events : [] });
  }
  return snapshotOf(state);
};

/** The same without ClickHouse: all that the log holds, or all up to `to`. */
export const snapshotFromLog = async (log: EventLog, options: FoldOptions = {}): Promise<StateSnapshot> => {
  const { first } = await log.bounds();
  return foldTail(log, { ...emptySnapshot, sequence: first - 1 }, options);
};

const whole = (value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`expected a whole number from 0, got ${value}`);
  return value;
};
