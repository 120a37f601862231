import type { Logger } from 'pino';
import type { EventLog, LogBounds, LogEntry } from '../bus/event-log.ts';
import { sequence, type Sequence } from '../events/index.ts';

/**
 * Hands the log to the actors of this process: every entry once, in order, without gaps.
 *
 * An entry that this process appended itself arrives with its acknowledgement (`appended`), without waiting for the stream to send it back. What other
 * processes appended is read from the log as soon as a gap shows. Either way the actors meet the same sequence of entries.
 *
 * 1. A listener has seen exactly the entries up to `position` since it subscribed.
 * 2. A log that turns out not to be the one that was handed out so far ends the delivery: `onLost` is called once, and nothing is handed out any more.
 */
export type Delivery = {
  readonly position: () => Sequence;
  readonly appended: (entry: LogEntry) => void;
  /** The listener must not throw. Returns the function that ends it. */
  readonly subscribe: (listener: (entry: LogEntry) => void) => () => void;
  /** Resolves when everything that is in the log now has been handed out. */
  readonly catchUp: () => Promise<Sequence>;
  readonly close: () => Promise<void>;
};

/** Entries that arrived ahead of a gap and are kept in memory; more are dropped here and read from the log instead. */
const aheadLimit = 10_000;

export const createDelivery = async (options: {
  readonly log: EventLog;
  readonly logger: Logger;
  /** How often to look for entries of other processes, ms. */
  readonly intervalMs: number;
  /** The log is not the one that was read so far: its tail was lost, or it was made again. What was folded has to be folded anew. */
  readonly onLost: (reason: string) => void;
}): Promise<Delivery> => {
  const { log, logger, intervalMs, onLost } = options;
  const listeners = new Set<(entry: LogEntry) => void>();
  const ahead = new Map<number, LogEntry>();
  const ended = new AbortController();
  const begun = await log.bounds();
  let position = begun.last;
  let mark = await markAt(log, position);
  let timer: NodeJS.Timeout | undefined;

  const lose = (reason: string) => {
    if (ended.signal.aborted) return;
    end();
    onLost(reason);
  };

  const end = () => {
    ended.abort();
    clearTimeout(timer);
    ahead.clear();
  };

  const handOut = (entry: LogEntry) => {
    position = entry.sequence;
    mark = markOf(entry);
    for (const listener of listeners) listener(entry);
  };

  const offer = (entry: LogEntry) => {
    if (entry.sequence <= position || ended.signal.aborted) return;
    if (entry.sequence > position + 1) {
      if (ahead.size < aheadLimit) ahead.set(entry.sequence, entry);
      return;
    }
    handOut(entry);
    for (let next = ahead.get(position + 1); next !== undefined; next = ahead.get(position + 1)) {
      ahead.delete(next.sequence);
      handOut(next);
    }
  };

  const readUpTo = async (last: Sequence) => {
    if (last <= position) return;
    for await (const entry of log.read({ from: sequence(position + 1), to: last, signal: ended.signal })) {
      // The log is read in order: what was skipped is not in it.
      if (entry.sequence > position + 1) {
        lose(`expected message ${position + 1}, the log goes on with ${entry.sequence}`);
        return;
      }
      offer(entry);
    }
    for (const key of ahead.keys()) if (key <= position) ahead.delete(key);
  };

  // One reader at a time: a second one would read the same range again.
  let reading: Promise<void> = Promise.resolve();
  const read = (last: Sequence): Promise<void> => {
    reading = reading.catch(() => undefined).then(() => readUpTo(last));
    return reading;
  };

  const catchUp = async () => {
    const { last } = await log.bounds();
    await read(last);
    return position;
  };

  // What was last at the previous look and has not been handed out since is not on its way from here: it is somebody else's.
  let seenLast = position;
  // After a break of the connection the log may be another one, although it has grown past `position` again.
  let isDoubtful = false;
  const look = async () => {
    const known: Known = { createdAt: begun.createdAt, last: Math.max(seenLast, position), mark: isDoubtful ? mark : null };
    const bounds = await log.bounds();
    const change = await changeOf(log, bounds, known);
    if (change !== undefined) {
      lose(change);
      return;
    }
    isDoubtful = false;
    if (position + 1 < bounds.first) lose(`expected message ${position + 1}, the log begins at ${bounds.first}`);
    if (position < seenLast) await read(seenLast);
    seenLast = bounds.last;
  };

  let looking: Promise<void> = Promise.resolve();
  const schedule = () => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => {
          isDoubtful = true;
          if (!ended.signal.aborted) logger.debug({ err: error }, 'the log could not be read; trying again');
        })
        .finally(() => {
          if (!ended.signal.aborted) schedule();
        });
    }, intervalMs);
    timer.unref();
  };
  schedule();

  return {
    position: () => position,
    appended: offer,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    catchUp,
    close: async () => {
      end();
      await Promise.allSettled([looking, reading]);
    },
  };
};

/** Tells an entry from another one in its place; null when there is none to compare. */
type Mark = { readonly sequence: Sequence; readonly eventId: string | null } | null;

const markOf = (entry: LogEntry): NonNullable<Mark> => ({
  sequence: entry.sequence,
  eventId: entry.kind === 'events' ? entry.events[0].id : null,
});

const markAt = async (log: EventLog, position: Sequence): Promise<Mark> => {
  const entry = position === 0 ? null : await log.at(position);
  return entry === null ? null : markOf(entry);
};

/** What is known of the log, before it is looked at. */
type Known = { readonly createdAt: string; readonly last: number; readonly mark: Mark };

/** Why this is not the log that is known. What was acknowledged or read before cannot be missing from one that was not cut. */
const changeOf = async (log: EventLog, bounds: LogBounds, { createdAt, last, mark }: Known): Promise<string | undefined> => {
  if (bounds.createdAt !== createdAt) return `expected the log made at ${createdAt}, got one made at ${bounds.createdAt}`;
  if (bounds.last < last) return `expected a log that reaches ${last}, got one that ends at ${bounds.last}`;
  if (mark === null || mark.sequence < bounds.first) return undefined;
  const there = await markAt(log, mark.sequence);
  if (there?.eventId === mark.eventId) return undefined;
  // Aged out between the two questions.
  if (there === null && (await log.bounds()).first > mark.sequence) return undefined;
  return `expected message ${mark.sequence} as it was handed out, there is another one in its place`;
};
