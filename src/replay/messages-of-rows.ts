import { routerEventTypes } from '../domain/routing/state.ts';
import type { Checks, SwitchyardEvent } from '../events/index.ts';
import type { Json } from '../json.ts';
import { literal, wholeNumber, type Clickhouse, type Row } from '../projections/clickhouse.ts';
import { inSpans, type Span } from '../projections/epochs.ts';
import { eventOfRow } from '../projections/events-of-rows.ts';
import { poisonType, tables } from '../projections/table.ts';
import { featuresVersionOf, namedBy, type Message, type MessageRange, type Unreadable } from './messages.ts';

/**
 * The messages of one log from the rows of ClickHouse, page by page in the order of the log: those that have aged out of the log are here alone. The engine makes one row of each message, with the events
 * that change the state of the router; of the others it says that they are there. Plain SELECTs: works over the read-only interface.
 */
export async function* messagesOfRows(
  clickhouse: Clickhouse,
  spans: readonly Span[],
  { from, to, checks = 'all', signal }: MessageRange,
): AsyncGenerator<Message, void, undefined> {
  const mine = inSpans(spans);
  const pageFrom = async (low: number): Promise<Page | null> => {
    if (low > to) return null;
    const high = Math.min(to, low + pageMessages - 1);
    return { high, rows: await clickhouse.rows(pageSql(mine, low, high)) };
  };
  // The engine makes the next page while this one is used.
  let next = pageFrom(from);
  for (let page = await next; page !== null; page = await next) {
    signal?.throwIfAborted();
    next = page.rows.length > 0 ? pageFrom(page.high + 1) : firstAfter(clickhouse, mine, page.high).then((low) => pageFrom(low ?? to + 1));
    // Whoever stops reading early must not leave a rejection that nobody hears.
    next.catch(() => undefined);
    for (const row of page.rows) yield messageOf(row, checks);
  }
}

type Page = { readonly high: number; readonly rows: readonly Row[] };

/** Of some two kilobytes each. */
const pageMessages = 4_000;

/** What a row becomes an event from, by place: names in each of millions of rows cost as much to read as the values. */
const eventValues =
  'event_index, id, type, schema_version, source, subject, toUnixTimestamp64Milli(least(time, stored_at)), tenant, request_id, causation_id, traceparent, data';

const eventRow = (values: readonly unknown[]): Row => ({
  id: values[1],
  type: values[2],
  schema_version: values[3],
  source: values[4],
  subject: values[5],
  time_ms: values[6],
  tenant: values[7],
  request_id: values[8],
  causation_id: values[9],
  traceparent: values[10],
  data: values[11],
});

const folded = [...routerEventTypes, poisonType].map((type) => literal(type)).join(', ');

/** A row that is there twice is one event. */
const pageSql = (mine: string, low: number, high: number): string =>
  `SELECT sequence, toUnixTimestamp64Milli(any(stored_at)) AS stored_at_ms,
    arraySort(groupUniqArrayIf((${eventValues}), type IN (${folded}))) AS events,
    countIf(type IN ('response.completed', 'response.failed') AND arm != '') > 0 AND countIf(type = 'reward.recorded') = 0 AS lacks_reward
  FROM ${tables.events} WHERE ${mine} AND sequence BETWEEN ${low} AND ${high} GROUP BY sequence ORDER BY sequence`;

/** A hole may be longer than a page. */
const firstAfter = async (clickhouse: Clickhouse, mine: string, sequence: number): Promise<number | null> => {
  const [row] = await clickhouse.rows(
    `SELECT min(sequence) AS first, count() AS n FROM ${tables.events} WHERE ${mine} AND sequence > ${sequence}`,
  );
  return wholeNumber(row, 'n') === 0 ? null : wholeNumber(row, 'first');
};

const messageOf = (row: Row, checks: Checks): Message => {
  const events: SwitchyardEvent[] = [];
  let unreadable: Unreadable | null = null;
  for (const values of row['events'] as readonly (readonly unknown[])[]) {
    const event = eventRow(values);
    if (event['type'] === poisonType) {
      unreadable ??= poisoned(event);
      continue;
    }
    const decoded = eventOfRow(event, checks);
    if (decoded.kind === 'events') events.push(...decoded.events);
    else unreadable ??= { ...about(event), reason: decoded.reason, detail: decoded.detail };
  }
  return {
    sequence: wholeNumber(row, 'sequence'),
    storedAtMs: wholeNumber(row, 'stored_at_ms'),
    // Whole, or not at all: as the log's own reader takes it.
    events: unreadable === null ? events : [],
    unreadable,
    lacksReward: Number(row['lacks_reward']) === 1,
  };
};

const about = (row: Row): Pick<Unreadable, 'type' | 'tenant' | 'featuresVersion'> => ({
  type: String(row['type']),
  tenant: String(row['tenant']),
  featuresVersion: featuresVersionOf({ data: JSON.parse(String(row['data'])) as Json }),
});

/** The projector keeps of poison where it came from and what was wrong with it. */
const poisoned = (row: Row): Unreadable => {
  const {
    subject = '',
    reason = '',
    detail = '',
  } = JSON.parse(String(row['data'])) as Partial<Record<'subject' | 'reason' | 'detail', string>>;
  return { ...namedBy(subject), featuresVersion: null, reason, detail };
};
