import type { Logger } from 'pino';
import type { EventLog, LogEntry } from '../bus/event-log.ts';
import { sequence, type Sequence } from '../events/index.ts';

/**
 * Hands the log to the actors of this process: every entry once, in order, without gaps.
 *
 * An entry that this process appended itself arrives with its acknowledgement (`appended`), without waiting for the stream to send it back. What other
 * processes appended is read from the log as soon as a gap shows. Either way the actors meet the same sequence of entries.
 *
 * Invariant: a listener has seen exactly the entries up to `position` since it subscribed.
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
  const closing = new AbortController();
  const begun = await log.bounds();
  let position = begun.last;

  const handOut = (entry: LogEntry) => {
    position = entry.sequence;
    for (const listener of listeners) listener(entry);
  };

  const offer = (entry: LogEntry) => {
    if (entry.sequence <= position) return;
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
    for await (const entry of log.read({ from: sequence(position + 1), to: last, signal: closing.signal })) offer(entry);
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
  const look = async () => {
    if (position < seenLast) await read(seenLast);
    const bounds = await log.bounds();
    if (bounds.createdAt !== begun.createdAt) onLost(`expected the log made at ${begun.createdAt}, got one made at ${bounds.createdAt}`);
    // Acknowledged entries cannot be missing from a log that was not cut.
    else if (bounds.last < seenLast) onLost(`expected a log that reaches ${seenLast}, got one that ends at ${bounds.last}`);
    seenLast = bounds.last;
  };

  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  const schedule = () => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => {
          if (!closing.signal.aborted) logger.debug({ err: error }, 'the log could not be read; trying again');
        })
        .finally(() => {
          if (!closing.signal.aborted) schedule();
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
      closing.abort();
      clearTimeout(timer);
      await Promise.allSettled([looking, reading]);
    },
  };
};
