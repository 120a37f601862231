import { routerEventTypes } from '../domain/routing/state.ts';
import { decodeEvent, type Checks, type SwitchyardEvent } from '../events/index.ts';
import type { Json, JsonObject } from '../json.ts';
import { literal, wholeNumber, type Clickhouse } from '../projections/clickhouse.ts';
import { inSpans, type Span } from '../projections/epochs.ts';
import { eventText } from '../projections/events-of-rows.ts';
import { poisonType, tables } from '../projections/table.ts';
import { featuresVersionOf, namedBy, type Message, type MessageRange, type Unreadable } from './messages.ts';

/**
 * The messages of one log from the rows of ClickHouse, page by page in the order of the log: those that have aged out of the log are here alone. The engine writes each message as one
 * line of JSON, with the events that change the state of the router; of the others it says that they are there. Plain SELECTs: works over the read-only interface.
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
    return { high, lines: await clickhouse.texts(pageSql(mine, low, high)) };
  };
  // The engine makes the next page while this one is used.
  let next = pageFrom(from);
  for (let page = await next; page !== null; page = await next) {
    signal?.throwIfAborted();
    next = page.lines.length > 0 ? pageFrom(page.high + 1) : firstAfter(clickhouse, mine, page.high).then((low) => pageFrom(low ?? to + 1));
    // Whoever stops reading early must not leave a rejection that nobody hears.
    next.catch(() => undefined);
    for (const line of page.lines) yield messageOf(line, checks);
  }
}

type Page = { readonly high: number; readonly lines: readonly string[] };

/** Of some two kilobytes each. */
const pageMessages = 4_000;

const folded = [...routerEventTypes, poisonType].map((type) => literal(type)).join(', ');

/** A row that is there twice is one event. */
const pageSql = (mine: string, low: number, high: number): string =>
  `SELECT concat('[', toString(sequence), ',', toString(toUnixTimestamp64Milli(any(stored_at))), ',',
    toString(countIf(type IN ('response.completed', 'response.failed') AND arm != '') > 0 AND countIf(type = 'reward.recorded') = 0), ',[',
    arrayStringConcat(arrayMap(e -> e.2, arraySort(e -> e.1, groupUniqArrayIf((event_index, ${eventText}), type IN (${folded})))), ','), ']]')
  FROM ${tables.events} WHERE ${mine} AND sequence BETWEEN ${low} AND ${high} GROUP BY sequence ORDER BY sequence`;

/** A hole may be longer than a page. */
const firstAfter = async (clickhouse: Clickhouse, mine: string, sequence: number): Promise<number | null> => {
  const [row] = await clickhouse.rows(
    `SELECT min(sequence) AS first, count() AS n FROM ${tables.events} WHERE ${mine} AND sequence > ${sequence}`,
  );
  return wholeNumber(row, 'n') === 0 ? null : wholeNumber(row, 'first');
};

type Written = readonly [sequence: number, storedAtMs: number, lacksReward: 0 | 1, events: readonly JsonObject[]];

const messageOf = (line: string, checks: Checks): Message => {
  const [sequence, storedAtMs, lacks, written] = JSON.parse(line) as Written;
  const events: SwitchyardEvent[] = [];
  let unreadable: Unreadable | null = null;
  for (const event of written) {
    const decoded = event['type'] === poisonType ? poisoned(event) : decodeEvent(event, checks);
    if (!('kind' in decoded)) unreadable ??= decoded;
    else if (decoded.kind === 'events') events.push(...decoded.events);
    else unreadable ??= { ...about(event), reason: decoded.reason, detail: decoded.detail };
  }
  // Whole, or not at all: as the log's own reader takes it.
  return { sequence, storedAtMs, events: unreadable === null ? events : [], unreadable, lacksReward: lacks === 1 };
};

const about = (event: JsonObject): Pick<Unreadable, 'type' | 'tenant' | 'featuresVersion'> => ({
  type: textOf(event['type']),
  tenant: textOf(event['tenant']),
  featuresVersion: featuresVersionOf(event),
});

const textOf = (value: Json | undefined): string | null => (typeof value === 'string' ? value : null);

/** The projector keeps of poison where it came from and what was wrong with it. */
const poisoned = ({ data = {} }: JsonObject): Unreadable => {
  const { subject = '', reason = '', detail = '' } = data as Partial<Record<'subject' | 'reason' | 'detail', string>>;
  return { ...namedBy(subject), featuresVersion: null, reason, detail };
};
