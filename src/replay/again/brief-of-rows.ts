import type { Clickhouse } from '../../projections/clickhouse.ts';
import type { Span } from '../../projections/epochs.ts';
import { InvariantError } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { briefEvents, type BriefEvents } from './brief-events.ts';
import { at, briefPage, type BriefPage } from './brief-page.ts';
import { briefSql, rowKinds } from './brief-sql.ts';
import type { BriefEvent, BriefMessage } from './brief.ts';
import { eventOf } from './event-of-text.ts';
import type { MessageRange, Unreadable } from './messages.ts';
import { rowsInPages, type ReadPage } from './rows-in-pages.ts';

/**
 * The same messages as messages-of-rows.ts has, with as much of their events as another policy looks at (brief.ts), for speed: from columns, without the JSON of decisions and rewards. The projector checked these to
 * their last field before it wrote them.
 */
export async function* briefOfRows(
  clickhouse: Clickhouse,
  spans: readonly Span[],
  range: MessageRange,
): AsyncGenerator<BriefMessage, void, undefined> {
  const events = briefEvents();
  const read: ReadPage<BriefMessage> = async (_, mine, low, high) => {
    const columns = await clickhouse.columns(briefSql(mine, low, high));
    return { rows: columns.rows, items: () => messagesIn(briefPage(columns), events) };
  };
  for await (const page of rowsInPages(clickhouse, spans, range, { messages: pageMessages, read }))
    for (const message of page) yield message;
}

/** Measured: smaller pages spend their time on asking, larger ones take memory (some kilobyte a message). */
const pageMessages = 16_384;

function* messagesIn(page: BriefPage, made: BriefEvents): Generator<BriefMessage, void, undefined> {
  const { sequence: sequences, eventIndex, storedAtMs } = page.numbers;
  let open = openMessage(0, 0);
  let lastIndex = -1;
  for (let row = 0; row < page.rows; row++) {
    const sequence = at(sequences, row);
    const index = at(eventIndex, row);
    if (sequence < open.sequence) throw new InvariantError('a page of messages came out of the order of the log');
    // A row that is there twice is one event.
    if (sequence === open.sequence && index === lastIndex) continue;
    if (sequence > open.sequence) {
      if (open.sequence > 0) yield closed(open);
      open = openMessage(sequence, at(storedAtMs, row));
    }
    lastIndex = index;
    take(open, page, row, made);
  }
  if (open.sequence > 0) yield closed(open);
}

type OpenMessage = {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly events: BriefEvent[];
  unreadable: Unreadable | null;
  hasOutcome: boolean;
  hasReward: boolean;
};

const openMessage = (sequence: number, storedAtMs: number): OpenMessage => ({
  sequence,
  storedAtMs,
  events: [],
  unreadable: null,
  hasOutcome: false,
  hasReward: false,
});

const take = (open: OpenMessage, page: BriefPage, row: number, made: BriefEvents): void => {
  switch (at(page.numbers.kind, row)) {
    case rowKinds.decision:
      open.events.push(made.decisionAt(page, row));
      return;
    case rowKinds.reward:
      open.hasReward = true;
      open.events.push(made.rewardAt(page, row));
      return;
    case rowKinds.outcomeOfArm:
      open.hasOutcome = true;
      return;
    case rowKinds.text: {
      const event = eventOf(JSON.parse(at(page.texts.text, row)) as JsonObject, 'envelope');
      // Also one that cannot be understood is there.
      if (event.type === 'reward.recorded') open.hasReward = true;
      if ('reason' in event) open.unreadable ??= event;
      else open.events.push(event);
    }
  }
};

/** Whole, or not at all: as the log's own reader takes it. */
const closed = ({ sequence, storedAtMs, events, unreadable, hasOutcome, hasReward }: OpenMessage): BriefMessage => ({
  sequence,
  storedAtMs,
  events: unreadable === null ? events : [],
  unreadable,
  lacksReward: hasOutcome && !hasReward,
});
