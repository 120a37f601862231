import type { RecordedEvent } from '../domain/routing/remembered.ts';
import { decodeEvent, sequence, type Checks, type Decoded } from '../events/index.ts';
import { wholeNumber, type Row } from './clickhouse.ts';

/** What a query has to select for its rows to become events again, none of which happened after the log stored it (domain/routing/happened.ts). */
export const eventColumns =
  'sequence, id, type, schema_version, source, subject, toUnixTimestamp64Milli(least(time, stored_at)) AS time_ms, tenant, request_id, causation_id, traceparent, data';

/** Rows back to events, raised to their present version. One that cannot be understood is left out: whoever folds the log skips it as well. */
export const eventsOfRows = (rows: readonly Row[]): readonly RecordedEvent[] =>
  rows.flatMap((row) => {
    const decoded = eventOfRow(row);
    return decoded.kind === 'events' ? [{ sequence: sequence(wholeNumber(row, 'sequence')), event: decoded.events[0] }] : [];
  });

export const eventOfRow = (row: Row, checks: Checks = 'all'): Decoded => decodeEvent(envelopeOf(row), checks);

/** The event as the log holds it, of whatever version it was. */
const envelopeOf = (row: Row) => ({
  specversion: '1.0',
  id: row['id'],
  source: row['source'],
  type: row['type'],
  ...present('subject', row['subject']),
  time: new Date(wholeNumber(row, 'time_ms')).toISOString(),
  datacontenttype: 'application/json',
  dataschema: `urn:switchyard:event:${String(row['type'])}:${String(row['schema_version'])}`,
  tenant: row['tenant'],
  correlationid: row['request_id'],
  ...present('causationid', row['causation_id']),
  ...present('traceparent', row['traceparent']),
  schemaversion: wholeNumber(row, 'schema_version'),
  data: JSON.parse(String(row['data'])) as unknown,
});

/** An attribute that an event does not have is '' in its row. */
const present = (name: string, value: unknown) => (value === '' ? {} : { [name]: value });
