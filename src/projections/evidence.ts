import type { EventLog } from '../bus/event-log.ts';
import { evolveRouter, routerStateOf } from '../domain/routing/router.ts';
import type { ArmEvidence, EvidenceAt } from '../domain/routing/evidence.ts';
import { sequence } from '../events/index.ts';
import { wholeNumber, type Clickhouse, type Row } from './clickhouse.ts';
import { currentChain, inSpans, readEpochs, spansOf } from './epochs.ts';
import { poisonType, tables } from './table.ts';

/**
 * The state of the router from ClickHouse, and from the log: two ways to the same numbers. Evidence is a sum of whole numbers, so that neither order nor grouping
 * matters.
 *
 * Which rows count: those of the current log, all its epochs, up to one sequence. Rows of earlier logs are history that a fold of this log would not
 * contain, and a decision names the sequence of this log that its state is the fold of; `logs: 'all'` counts them too, for questions of people. Rows that
 * have aged out of the log still count: ClickHouse remembers more than the log then, and says so by the same sequence.
 */
export type ProjectedEvidence = EvidenceAt & {
  /** `createdAt` of the log that the sequence is of. */
  readonly streamCreatedAt: string;
  /** What the table holds at that sequence, for comparing with the log; null when that is nothing. */
  readonly at: { readonly storedAtMs: number; readonly eventId: string; readonly understood: boolean } | null;
};

/** Null before the projector has opened an epoch. Plain SELECTs: works over the read-only interface. */
export const evidenceFromClickhouse = async (
  clickhouse: Clickhouse,
  options: { readonly atSequence?: number | undefined; readonly atTimeMs?: number | undefined; readonly logs?: 'current' | 'all' } = {},
): Promise<ProjectedEvidence | null> => {
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
  // Rows up to a sequence that was there a moment ago are all there: sums may be taken one query later.
  const counted =
    options.logs === 'all'
      ? `(NOT stream_epoch IN (${chain.map(({ epoch }) => epoch).join(', ')}) OR (${mine} AND sequence <= ${reached}))`
      : `${mine} AND sequence <= ${reached}`;
  const rows = await clickhouse.rows(
    `SELECT arm, sum(evidence_trials) AS trials, sum(evidence_success) AS success, sum(evidence_streaming) AS streaming, sum(evidence_cache) AS cache, sum(evidence_cost) AS cost FROM ${tables.events} WHERE type = 'reward.recorded' AND ${counted} GROUP BY arm`,
  );
  return {
    sequence: reached,
    evidence: new Map(rows.map((row) => [String(row['arm']), armEvidence(row)])),
    streamCreatedAt: current.streamCreatedAt,
    at:
      last === undefined
        ? null
        : { storedAtMs: wholeNumber(last, 'stored_at_ms'), eventId: String(last['id']), understood: last['type'] !== poisonType },
  };
};

/**
 * Evidence that may be built upon: null when the table was made from another log than this, or from messages that this one lost. Then the log alone counts.
 */
export const trustedEvidence = async (clickhouse: Clickhouse, log: EventLog): Promise<EvidenceAt | null> => {
  const projected = await evidenceFromClickhouse(clickhouse);
  if (projected === null) return null;
  const bounds = await log.bounds();
  if (projected.streamCreatedAt !== bounds.createdAt || projected.sequence > bounds.last) return null;
  if (projected.at !== null && projected.sequence >= bounds.first) {
    const entry = await log.at(sequence(projected.sequence));
    if (entry === null || entry.storedAtMs !== projected.at.storedAtMs) return null;
    if (entry.kind === 'events' && projected.at.understood && entry.events[0].id !== projected.at.eventId) return null;
  }
  return { sequence: projected.sequence, evidence: projected.evidence };
};

/** Folds what the log holds after `base`, by the router's own fold. `to` defaults to the end of the log. */
export const foldTail = async (
  log: EventLog,
  base: EvidenceAt,
  options: { readonly to?: number | undefined; readonly signal?: AbortSignal } = {},
): Promise<EvidenceAt> => {
  const to = options.to ?? (await log.bounds()).last;
  if (to <= base.sequence) return base;
  const state = routerStateOf(base);
  const range = {
    from: sequence(base.sequence + 1),
    to: sequence(to),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  for await (const entry of log.read(range))
    evolveRouter(state, { sequence: entry.sequence, events: entry.kind === 'events' ? entry.events : [] });
  return { sequence: state.sequence, evidence: state.evidence };
};

/** The same without ClickHouse: all that the log holds, or all up to `to`. */
export const evidenceFromLog = async (
  log: EventLog,
  options: { readonly to?: number | undefined; readonly signal?: AbortSignal } = {},
): Promise<EvidenceAt> => {
  const { first } = await log.bounds();
  return foldTail(log, { sequence: first - 1, evidence: new Map() }, options);
};

const whole = (value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`expected a whole number from 0, got ${value}`);
  return value;
};

const armEvidence = (row: Row): ArmEvidence => ({
  trials: wholeNumber(row, 'trials'),
  success: wholeNumber(row, 'success'),
  streaming: wholeNumber(row, 'streaming'),
  cache: wholeNumber(row, 'cache'),
  cost: wholeNumber(row, 'cost'),
});
