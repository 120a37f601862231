import { routerEventTypes } from '../domain/routing/state.ts';
import type { Checks, SwitchyardEvent } from '../events/index.ts';
import type { Json } from '../json.ts';
import { literal, wholeNumber, type Clickhouse, type Row } from '../projections/clickhouse.ts';
import { inSpans, type Span } from '../projections/epochs.ts';
import { eventColumns, eventOfRow } from '../projections/events-of-rows.ts';
import { poisonType, tables } from '../projections/table.ts';
import { featuresVersionOf, namedBy, type Message, type MessageRange, type Unreadable } from './messages.ts';

/**
 * The messages of one log from the rows of ClickHouse, page by page in the order of the log: those that have aged out of the log are here alone. Only rows of events that change the state of the router
 * carry their data; of all others one row a message is enough to see that none is missing. Plain SELECTs: works over the read-only interface.
 *
 * The projector checks whatever the router folds to its last field before it writes the row, so `checks` may be the envelope's here where speed counts.
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
    yield* messagesIn(page.rows, checks);
  }
}

type Page = { readonly high: number; readonly rows: readonly Row[] };

/** Of some two kilobytes each. */
const pageMessages = 4_000;

const folded = routerEventTypes.map((type) => literal(type)).join(', ');

const pageSql = (mine: string, low: number, high: number): string =>
  `SELECT ${eventColumns}, event_index, arm, toUnixTimestamp64Milli(stored_at) AS stored_at_ms FROM (
    SELECT * REPLACE (if(type IN (${folded}, '${poisonType}'), data, '') AS data) FROM ${tables.events}
    WHERE ${mine} AND sequence BETWEEN ${low} AND ${high} AND (event_index = 0 OR type IN (${folded}))
  ) ORDER BY sequence, event_index`;

/** A hole may be longer than a page. */
const firstAfter = async (clickhouse: Clickhouse, mine: string, sequence: number): Promise<number | null> => {
  const [row] = await clickhouse.rows(
    `SELECT min(sequence) AS first, count() AS n FROM ${tables.events} WHERE ${mine} AND sequence > ${sequence}`,
  );
  return wholeNumber(row, 'n') === 0 ? null : wholeNumber(row, 'first');
};

function* messagesIn(rows: readonly Row[], checks: Checks): Generator<Message, void, undefined> {
  for (let first = 0; first < rows.length;) {
    const sequence = rows[first]?.['sequence'];
    let end = first + 1;
    while (end < rows.length && rows[end]?.['sequence'] === sequence) end++;
    yield messageOf(rows.slice(first, end), checks);
    first = end;
  }
}

const isFolded: ReadonlySet<unknown> = new Set(routerEventTypes);

const messageOf = (rows: readonly Row[], checks: Checks): Message => {
  const [first] = rows;
  const events: SwitchyardEvent[] = [];
  let unreadable: Unreadable | null = null;
  let lastIndex: unknown;
  for (const row of rows) {
    // A row that is there twice is one event.
    if (row['event_index'] === lastIndex) continue;
    lastIndex = row['event_index'];
    if (row['type'] === poisonType) unreadable ??= poisoned(row);
    if (!isFolded.has(row['type'])) continue;
    const decoded = eventOfRow(row, checks);
    if (decoded.kind === 'events') events.push(...decoded.events);
    else unreadable ??= { ...about(row), reason: decoded.reason, detail: decoded.detail };
  }
  return {
    sequence: wholeNumber(first, 'sequence'),
    storedAtMs: wholeNumber(first, 'stored_at_ms'),
    // Whole, or not at all: as the log's own reader takes it.
    events: unreadable === null ? events : [],
    unreadable,
    lacksReward:
      first?.['arm'] !== '' &&
      (first?.['type'] === 'response.completed' || first?.['type'] === 'response.failed') &&
      !rows.some((row) => row['type'] === 'reward.recorded'),
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
