import { PermanentError, TransientError } from '../../errors.ts';
import type { Clock } from './clock.ts';

/**
 * What a JetStream stream is, in memory: numbered messages with an age limit, a size limit and a window in which an id counts as known.
 * Full means refuse, as in the streams of the log and of the queue, or let the oldest go.
 */
export type Stored = {
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly subject: string;
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type ShelfLimits = {
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly duplicateWindowMs: number;
  readonly whenFull: 'refuse' | 'forget';
};

export type Shelf = {
  /** The sequence of the first message with this id within the window, or null. */
  readonly known: (id: string) => number | null;
  readonly add: (message: Omit<Stored, 'sequence' | 'storedAtMs'>) => Stored;
  readonly remove: (sequence: number) => void;
  readonly get: (sequence: number) => Stored | undefined;
  /** In order of their sequences. */
  readonly all: () => Iterable<Stored>;
  readonly first: () => number;
  readonly last: () => number;
  /** Called after each addition; returns the function that ends it. */
  readonly onGrowth: (listener: () => void) => () => void;
};

export const maxPayloadBytes = 8 * 1024 ** 2;
const whenThereIsRoomMs = 2_000;

export const createShelf = (name: string, clock: Clock, limits: ShelfLimits): Shelf => {
  const messages = new Map<number, Stored>();
  const ids = new Map<string, { readonly sequence: number; readonly untilMs: number }>();
  let last = 0;
  let bytes = 0;
  const listeners = new Set<() => void>();

  const drop = (message: Stored) => {
    messages.delete(message.sequence);
    bytes -= message.body.length;
  };
  const expire = () => {
    for (const message of messages.values()) {
      if (message.storedAtMs + limits.maxAgeMs > clock.nowMs()) break;
      drop(message);
    }
    for (const [id, { untilMs }] of ids) {
      if (untilMs > clock.nowMs()) break;
      ids.delete(id);
    }
  };
  const makeRoom = (needed: number) => {
    for (const oldest of messages.values()) {
      if (bytes + needed <= limits.maxBytes) return;
      if (limits.whenFull === 'refuse') break;
      drop(oldest);
    }
    if (bytes + needed > limits.maxBytes) throw new TransientError('store-full', `${name}: maximum bytes exceeded`, whenThereIsRoomMs);
  };

  return {
    known: (id) => {
      expire();
      return ids.get(id)?.sequence ?? null;
    },
    add: (message) => {
      if (message.body.length > maxPayloadBytes)
        throw new PermanentError('too-large', `expected at most ${maxPayloadBytes} bytes, ${message.id} has ${message.body.length}`);
      expire();
      makeRoom(message.body.length);
      const stored: Stored = { ...message, sequence: ++last, storedAtMs: clock.nowMs() };
      messages.set(stored.sequence, stored);
      bytes += stored.body.length;
      ids.set(message.id, { sequence: stored.sequence, untilMs: stored.storedAtMs + limits.duplicateWindowMs });
      for (const listener of listeners) listener();
      return stored;
    },
    remove: (sequence) => {
      const message = messages.get(sequence);
      if (message !== undefined) drop(message);
    },
    get: (sequence) => {
      expire();
      return messages.get(sequence);
    },
    all: () => {
      expire();
      return messages.values();
    },
    first: () => {
      expire();
      const [oldest] = messages.keys();
      return oldest ?? last + 1;
    },
    last: () => last,
    onGrowth: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};
