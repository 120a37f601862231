import { InvariantError } from '../../errors.ts';
import { decodeEvents, encodeEvents, sequence, subjects, type Checks, type Sequence } from '../../events/index.ts';
import type { Appended, AppendOptions, EventLog, LogEntry } from '../event-log.ts';
import { identityOfLog } from './apply-topology.ts';
import type { Delivered } from './delivered.ts';
import { asBusError, tooLarge } from './failures.ts';
import { appendHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { openReadSession } from './read-session.ts';
import { readStream } from './stream-reader.ts';
import { streams } from './topology.ts';

/**
 * The event log in one JetStream stream. An append is one message whatever number of events it holds, so it is stored whole or not at all.
 * Reads of single messages and of bounds ask the leader of the stream, never a replica that may lag behind what was acknowledged.
 */
const stream = streams.events;
/** Of the header block, beside the values that are counted. */
const headerBytes = 256;

export const createEventLog = (link: Link, options: { readonly appendTimeoutMs: number }): EventLog => {
  const { jsm, acknowledged } = link;

  const append: EventLog['append'] = async (events, { idempotencyId, expectedLastSequence, timeoutMs }) => {
    const { body, contentType } = encodeEvents(events);
    const bytes = body.length + headerBytes + idempotencyId.length;
    if (bytes > link.maxPayloadBytes()) throw tooLarge(`the append ${idempotencyId}`, bytes, link.maxPayloadBytes());
    const stored = await acknowledged.store(subjects.event(events[0]), body, {
      headers: appendHeaders(idempotencyId, contentType, expectedLastSequence),
      timeoutMs: timeoutMs ?? options.appendTimeoutMs,
    });
    if (stored.kind === 'stored') return { kind: stored.duplicate ? 'duplicate' : 'appended', sequence: sequence(stored.sequence) };
    return ownOrConflict(idempotencyId, expectedLastSequence);
  };

  /**
   * Servers up to 2.11 look for the id first and answer a retry with `duplicate`; from 2.12 on they compare the expected sequence first and refuse it.
   * An append that was stored under its expectation stands right behind it.
   */
  const ownOrConflict = async (idempotencyId: string, expected: AppendOptions['expectedLastSequence']): Promise<Appended> => {
    if (expected === undefined) throw new InvariantError(`the log refused the sequence of ${idempotencyId}, which named none`);
    const own = sequence(expected + 1);
    const message = await jsm.streams.getMessage(stream, { seq: own }).catch(rethrow('looking for a duplicate'));
    return message?.header.get('Nats-Msg-Id') === idempotencyId ? { kind: 'duplicate', sequence: own } : { kind: 'conflict' };
  };

  const bounds: EventLog['bounds'] = async () => {
    const info = await jsm.streams.info(stream).catch(rethrow('bounds of the log'));
    const { first_seq: first, last_seq: last } = info.state;
    return { first: sequence(Math.max(1, first)), last: sequence(last), createdAt: identityOfLog(info) };
  };

  return {
    append,
    bounds,
    async *read({ from, to, signal, checks }) {
      const last = to ?? (await bounds()).last;
      yield* readStream(link, { stream, from, to: last, signal }, (message) => toEntry(message, checks));
    },
    follow: ({ from, signal, checks, gatherMs }) =>
      readStream(link, { stream, from, gatherMs, signal }, (message) => toEntry(message, checks)),
    at: async (position) => {
      if (position < 1) return null;
      const message = await jsm.streams.getMessage(stream, { seq: position }).catch(rethrow(`message ${position} of the log`));
      return message === null ? null : entry(message.data, sequence(message.seq), message.time.getTime(), message.subject);
    },
    sequenceAt: async (timeMs) => {
      const session = await openReadSession(link, { stream, start: { timeMs }, most: 1 }).catch(rethrow('position of a time in the log'));
      try {
        if (session.pendingAtStart === 0) return null;
        const [first] = await session.take();
        if (first === undefined) throw asBusError(new Error(session.endedBy()), 'position of a time in the log');
        return sequence(first.sequence);
      } finally {
        session.close();
      }
    },
  };
};

const toEntry = ({ message, sequence: position, storedAtMs }: Delivered, checks: Checks | undefined): LogEntry =>
  entry(message.data, position as Sequence, storedAtMs, message.subject, checks);

const entry = (body: Uint8Array, position: Sequence, storedAtMs: number, subject: string, checks?: Checks): LogEntry => {
  const decoded = decodeEvents(body, undefined, checks);
  return decoded.kind === 'events'
    ? { kind: 'events', sequence: position, storedAtMs, events: decoded.events }
    : { ...decoded, sequence: position, storedAtMs, subject, body };
};

const rethrow =
  (what: string) =>
  (error: unknown): never => {
    throw asBusError(error, what);
  };
