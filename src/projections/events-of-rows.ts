import type { RecordedEvent } from '../domain/routing/remembered.ts';
import { decodeEvent, sequence } from '../events/index.ts';
import { wholeNumber, type Row } from './clickhouse.ts';

/** What a query has to select for its rows to become events again, none of which happened after the log stored it (domain/routing/happened.ts). */
export const eventColumns =
  'sequence, id, type, schema_version, source, subject, toUnixTimestamp64Milli(least(time, stored_at)) AS time_ms, tenant, request_id, causation_id, traceparent, data';

/** Rows back to events, raised to their present version. One that cannot be understood is left out: whoever folds the log skips it as well. */
export const eventsOfRows = (rows: readonly Row[]): readonly RecordedEvent[] =>
  rows.flatMap((row) => {
    const decoded = decodeEvent(envelopeOf(row));
    return decoded.kind === 'events' ? [{ sequence: sequence(wholeNumber(row, 'sequence')), event: decoded.events[0] }] : [];
  });

/** The same made by the engine: an expression that is the text of the event, for those who read many. */
export const eventText = (() => {
  const text = (column: string) => `toJSONString(${column})`;
  const present = (name: string, column: string) => `if(${column} = '', '', concat(',"${name}":', ${text(column)}))`;
  return `concat('{"specversion":"1.0","id":', ${text('id')}, ',"source":', ${text('source')}, ',"type":', ${text('type')}, ${present('subject', 'subject')},
    ',"time":"', replaceOne(toString(least(time, stored_at)), ' ', 'T'), 'Z","datacontenttype":"application/json","dataschema":"urn:switchyard:event:', type, ':', toString(schema_version),
    '","tenant":', ${text('tenant')}, ',"correlationid":', ${text('request_id')}, ${present('causationid', 'causation_id')}, ${present('traceparent', 'traceparent')},
    ',"schemaversion":', toString(schema_version), ',"data":', data, '}')`;
})();

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
