import { wholeNumber, type Clickhouse } from '../../projections/clickhouse.ts';
import { inSpans, type Span } from '../../projections/epochs.ts';
import { tables } from '../../projections/table.ts';
import type { MessageRange } from './messages.ts';

/** What a page of rows holds, made when it is used. */
export type Page<Item> = { readonly rows: number; readonly items: () => Iterable<Item> };

/** Reads the rows of sequences `low` to `high`, both included; `mine` is the condition on rows of this log. */
export type ReadPage<Item> = (clickhouse: Clickhouse, mine: string, low: number, high: number) => Promise<Page<Item>>;

/** The rows of one log, a page at a time, in its order. */
export async function* rowsInPages<Item>(
  clickhouse: Clickhouse,
  spans: readonly Span[],
  { from, to, signal }: MessageRange,
  /** `messages`: in a page, at most; divisible by eight. */
  { messages, read }: { readonly messages: number; readonly read: ReadPage<Item> },
): AsyncGenerator<Iterable<Item>, void, undefined> {
  const mine = inSpans(spans);
  // The first is small: there is soon something to do while the engine makes the others.
  let size = messages / 8;
  const pageFrom = async (low: number): Promise<{ readonly high: number; readonly page: Page<Item> } | null> => {
    if (low > to) return null;
    const high = Math.min(to, low + size - 1);
    size = Math.min(messages, 2 * size);
    return { high, page: await read(clickhouse, mine, low, high) };
  };
  // The engine makes the next page while this one is used.
  let next = pageFrom(from);
  for (let found = await next; found !== null; found = await next) {
    const { high, page } = found;
    signal?.throwIfAborted();
    next = page.rows > 0 ? pageFrom(high + 1) : firstAfter(clickhouse, mine, high).then((low) => pageFrom(low ?? to + 1));
    // Whoever stops reading early must not leave a rejection that nobody hears.
    next.catch(() => undefined);
    yield page.items();
  }
}

/** A hole may be longer than a page. */
const firstAfter = async (clickhouse: Clickhouse, mine: string, sequence: number): Promise<number | null> => {
  const [row] = await clickhouse.rows(
    `SELECT min(sequence) AS first, count() AS n FROM ${tables.events} WHERE ${mine} AND sequence > ${sequence}`,
  );
  return wholeNumber(row, 'n') === 0 ? null : wholeNumber(row, 'first');
};
