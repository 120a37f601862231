import { decodeEvents, encodeEvents, sequence, subjects, type Checks } from '../../events/index.ts';
import type { EventLog, LogEntry } from '../event-log.ts';
import { createBell } from './bell.ts';
import type { Shelf, Stored } from './shelf.ts';

/** The event log in memory. Keeps bytes, not objects: readers get copies of their own, and garbage can be put in. */
export const createMemoryLog = (shelf: Shelf, createdAt: string): EventLog => {
  const append: EventLog['append'] = async (events, { idempotencyId, expectedLastSequence }) => {
    const known = shelf.known(idempotencyId);
    if (known !== null) return { kind: 'duplicate', sequence: sequence(known) };
    if (expectedLastSequence !== undefined && expectedLastSequence !== shelf.last()) return { kind: 'conflict' };
    const { body } = encodeEvents(events);
    return {
      kind: 'appended',
      sequence: sequence(shelf.add({ subject: subjects.event(events[0]), id: idempotencyId, headers: {}, body }).sequence),
    };
  };

  async function* walk(
    from: number,
    to: number,
    signal: AbortSignal | undefined,
    checks: Checks | undefined,
  ): AsyncGenerator<LogEntry, void, undefined> {
    const bell = createBell();
    const stop = shelf.onGrowth(bell.ring);
    signal?.addEventListener('abort', bell.ring);
    try {
      for (let next = Math.max(1, from); next <= to; next++) {
        while (next > shelf.last() && !isAborted(signal)) await bell.wait();
        if (isAborted(signal)) return;
        const message = shelf.get(next);
        if (message !== undefined) yield toEntry(message, checks);
      }
    } finally {
      stop();
      signal?.removeEventListener('abort', bell.ring);
    }
  }

  return {
    append,
    read: ({ from, to, signal, checks }) => walk(from, Math.min(to ?? Infinity, shelf.last()), signal, checks),
    follow: ({ from, signal, checks }) => walk(from, Infinity, signal, checks),
    at: async (position) => {
      const message = shelf.get(position);
      return message === undefined ? null : toEntry(message, 'all');
    },
    sequenceAt: async (timeMs) => {
      for (const message of shelf.all()) if (message.storedAtMs >= timeMs) return sequence(message.sequence);
      return null;
    },
    bounds: async () => ({ first: sequence(shelf.first()), last: sequence(shelf.last()), createdAt }),
  };
};

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

const toEntry = (message: Stored, checks: Checks | undefined): LogEntry => {
  const position = { sequence: sequence(message.sequence), storedAtMs: message.storedAtMs };
  const decoded = decodeEvents(message.body, undefined, checks);
  return decoded.kind === 'events'
    ? { ...decoded, ...position }
    : { ...decoded, ...position, subject: message.subject, body: message.body };
};
