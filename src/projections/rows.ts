import type { LogEntry } from '../bus/event-log.ts';
import { encodeEvents, subjects, type SwitchyardEvent } from '../events/index.ts';
import { dateTimeText } from './date-time.ts';
import { columnsOf } from './event-columns.ts';
import { poisonType, type EventRow } from './table.ts';

/**
 * Messages of the log to rows, and nothing else: no clock, no table, no batch. The same message gives the same rows, which is what lets `reconcile`
 * convert a range again and compare. Every message gives at least one row, so that the table holds each sequence without a gap.
 */
export const rowsOf = (entry: LogEntry, epoch: number): readonly EventRow[] => {
  if (entry.kind === 'poison') return [poisonRow(entry, epoch)];
  const storedAt = timeText(entry.storedAtMs);
  return entry.events.map((event, index) => eventRow(event, { epoch, sequence: entry.sequence, index, storedAt }));
};

export type Poison = Extract<LogEntry, { kind: 'poison' }>;

/** Stands for a message that could not be understood, in the table and among the dead letters. */
export const poisonId = (epoch: number, sequence: number): string => `poison:${epoch}:${sequence}`;

/** A message that was understood and still makes no row: it is kept aside like any other poison. */
export const asPoison = (entry: LogEntry, reason: string, detail: string): Poison =>
  entry.kind === 'poison'
    ? entry
    : {
        kind: 'poison',
        sequence: entry.sequence,
        storedAtMs: entry.storedAtMs,
        subject: subjects.event(entry.events[0]),
        reason,
        detail,
        body: encodeEvents(entry.events).body,
      };

const eventRow = (
  event: SwitchyardEvent,
  at: { readonly epoch: number; readonly sequence: number; readonly index: number; readonly storedAt: string },
): EventRow => ({
  stream_epoch: at.epoch,
  sequence: at.sequence,
  event_index: at.index,
  stored_at: at.storedAt,
  id: event.id,
  type: event.type,
  schema_version: event.schemaversion,
  source: event.source,
  subject: event.subject,
  time: dateTimeText(event.time),
  tenant: event.tenant,
  request_id: event.correlationid,
  causation_id: event.causationid,
  traceparent: event.traceparent,
  data: event.data,
  ...columnsOf(event),
});

const poisonRow = (entry: Poison, epoch: number): EventRow => {
  const storedAt = timeText(entry.storedAtMs);
  return {
    stream_epoch: epoch,
    sequence: entry.sequence,
    event_index: 0,
    stored_at: storedAt,
    id: poisonId(epoch, entry.sequence),
    type: poisonType,
    schema_version: 0,
    source: '',
    time: storedAt,
    tenant: '',
    request_id: '',
    data: { subject: entry.subject, reason: entry.reason, detail: entry.detail, bytes: entry.body.length },
  };
};

const timeText = (ms: number): string => dateTimeText(new Date(ms).toISOString());
