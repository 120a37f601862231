import { routerEventTypes } from '../../domain/routing/state.ts';
import type { SwitchyardEvent } from '../../events/index.ts';
import type { JsonObject } from '../../json.ts';
import { literal, type Clickhouse } from '../../projections/clickhouse.ts';
import type { Span } from '../../projections/epochs.ts';
import { eventText } from '../../projections/events-of-rows.ts';
import { poisonType, tables } from '../../projections/table.ts';
import { eventOf } from './event-of-text.ts';
import type { Message, MessageRange, Unreadable } from './messages.ts';
import { rowsInPages, type ReadPage } from './rows-in-pages.ts';

/**
 * The messages of one log from the rows of ClickHouse, page by page in the order of the log: those that have aged out of the log are here alone. The engine writes each message as one
 * line of JSON, with the events that change the state of the router, whole; of the others it says that they are there. Plain SELECTs: works over the read-only interface.
 */
export async function* messagesOfRows(
  clickhouse: Clickhouse,
  spans: readonly Span[],
  range: MessageRange,
): AsyncGenerator<Message, void, undefined> {
  for await (const page of rowsInPages(clickhouse, spans, range, { messages: pageMessages, read: readPage }))
    for (const message of page) yield message;
}

/** Of some two kilobytes each. */
const pageMessages = 4_096;

const readPage: ReadPage<Message> = async (clickhouse, mine, low, high) => {
  const lines = await clickhouse.texts(pageSql(mine, low, high));
  return {
    rows: lines.length,
    *items() {
      for (const line of lines) yield messageOf(line);
    },
  };
};

const folded = [...routerEventTypes, poisonType].map((type) => literal(type)).join(', ');

/** A row that is there twice is one event. */
const pageSql = (mine: string, low: number, high: number): string =>
  `SELECT concat('[', toString(sequence), ',', toString(toUnixTimestamp64Milli(any(stored_at))), ',',
    toString(countIf(type IN ('response.completed', 'response.failed') AND arm != '') > 0 AND countIf(type = 'reward.recorded') = 0), ',[',
    arrayStringConcat(arrayMap(e -> e.2, arraySort(e -> e.1, groupUniqArrayIf((event_index, ${eventText}), type IN (${folded})))), ','), ']]')
  FROM ${tables.events} WHERE ${mine} AND sequence BETWEEN ${low} AND ${high} GROUP BY sequence ORDER BY sequence`;

type Written = readonly [sequence: number, storedAtMs: number, lacksReward: 0 | 1, events: readonly JsonObject[]];

const messageOf = (line: string): Message => {
  const [sequence, storedAtMs, lacks, written] = JSON.parse(line) as Written;
  const events: SwitchyardEvent[] = [];
  let unreadable: Unreadable | null = null;
  for (const one of written) {
    const event = eventOf(one, 'all');
    if ('reason' in event) unreadable ??= event;
    else events.push(event);
  }
  // Whole, or not at all: as the log's own reader takes it.
  return { sequence, storedAtMs, events: unreadable === null ? events : [], unreadable, lacksReward: lacks === 1 };
};
