import { isDeepStrictEqual } from 'node:util';
import { catalogue } from '../events/index.ts';
import { upcast } from '../events/upcasters.ts';
import { wholeNumber, type Clickhouse, type Row } from './clickhouse.ts';
import { tables } from './table.ts';

/**
 * Rows that were written when their event had an older version hold the facts of that version, and the log is read in the present one: they are raised as events are, and compared with it. Gives the places of those that say
 * something else, in the order of the log; rows that differ in their columns are not among them.
 */
export type Place = { readonly sequence: number; readonly eventIndex: number };

export async function* differentWhenRaised(
  clickhouse: Clickhouse,
  { scratch, mine }: { readonly scratch: string; readonly mine: string },
): AsyncGenerator<Place, void, undefined> {
  let [sequence, eventIndex] = [-1, 0];
  for (;;) {
    const rows = await clickhouse.rows(
      `SELECT stored.sequence AS sequence, stored.event_index AS event_index, stored.type AS type, stored.schema_version AS version, stored.data AS data, log.data AS log_data
        FROM (SELECT sequence, event_index, type, schema_version, data, ${columnsHash} AS columns FROM ${tables.events} WHERE ${mine} AND (sequence, event_index) > (${sequence}, ${eventIndex})) AS stored
        INNER JOIN (SELECT *, ${columnsHash} AS columns FROM ${scratch}) AS log USING (sequence, event_index)
        WHERE stored.schema_version < log.schema_version AND stored.columns = log.columns ORDER BY sequence, event_index LIMIT ${pageRows}`,
    );
    for (const row of rows) if (!saysTheSame(row)) yield placeOf(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    ({ sequence, eventIndex } = placeOf(last));
  }
}

const pageRows = 2_000;

/** Of all that is not the facts themselves. */
export const columnsHash = 'cityHash64(* EXCEPT (data, schema_version))';

const placeOf = (row: Row): Place => ({ sequence: wholeNumber(row, 'sequence'), eventIndex: wholeNumber(row, 'event_index') });

const saysTheSame = (row: Row): boolean => {
  const type = Object.values(catalogue).find((definition) => definition.type === row['type']);
  if (type === undefined) return false;
  const stored = objectIn(row['data']);
  const raised = stored === null ? null : upcast(stored, type.type, wholeNumber(row, 'version'), type.version);
  return raised !== null && isDeepStrictEqual(JSON.parse(JSON.stringify(raised)), objectIn(row['log_data']));
};

const objectIn = (text: unknown): Record<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
};
