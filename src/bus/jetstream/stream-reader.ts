import { InvariantError } from '../../errors.ts';
import { pauseOrConnect } from './connection.ts';
import type { Delivered } from './delivered.ts';
import { asBusError, closed, disconnected } from './failures.ts';
import type { Link } from './link.ts';
import { openReadSession, type ReadSession } from './read-session.ts';

/**
 * Messages of a stream in order, from a sequence on, each once: across reconnects, restarts of the server and lost consumers.
 *
 * 1. The reader knows the next sequence. A session (read-session.ts) may end at any moment; the next one begins there.
 * 2. A new session begins only in the history that the last one ended in: when the message that was handed out last is another one now, or the stream ends
 *    before it (a power cut took the tail and the server gives the numbers out again), the reader throws InvariantError.
 * 3. A reader of a range gives up with TransientError after ten seconds without progress; a follower never does.
 */
export type ReadOptions = {
  readonly stream: string;
  readonly from: number;
  /** Ends with the last message up to here, or when nothing is left. Without it the reader waits for more. */
  readonly to?: number | undefined;
  readonly gatherMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

type HandedOut = { readonly sequence: number; readonly storedAtMs: number };

const firstPauseMs = 50;
const longestPauseMs = 2_000;
const rangePatienceMs = 10_000;

/** `convert` must not throw. */
export async function* readStream<T>(
  link: Link,
  options: ReadOptions,
  convert: (message: Delivered) => T,
): AsyncGenerator<T, void, undefined> {
  const { stream, to, gatherMs, signal } = options;
  let next = options.from;
  let last: HandedOut | undefined;
  let pauseMs = firstPauseMs;
  let troubleSinceMs: number | undefined;

  if (to !== undefined && to < next) return;

  while (!isAborted(signal)) {
    const giveUpMs = to === undefined ? Infinity : (troubleSinceMs ?? Date.now()) + rangePatienceMs;
    const session = await open(link, { stream, next, to, gatherMs, signal }, last, giveUpMs);
    if (session === null) troubleSinceMs ??= Date.now();
    else {
      troubleSinceMs = undefined;
      try {
        if (to !== undefined && session.pendingAtStart === 0) return;
        for (let chunk = await session.take(); chunk.length > 0; chunk = await session.take()) {
          pauseMs = firstPauseMs;
          for (const message of chunk) {
            // A consumer that should begin behind the end of the stream begins at its end.
            if (message.sequence < next) continue;
            if (to !== undefined && message.sequence > to) return;
            if (message.sequence > next && last !== undefined)
              link.logger.error({ stream, expected: next, seen: message.sequence }, 'messages are missing in the stream');
            last = { sequence: message.sequence, storedAtMs: message.storedAtMs };
            next = message.sequence + 1;
            yield convert(message);
            if (isAborted(signal)) return;
            if (to !== undefined && (next > to || message.pending === 0)) return;
          }
        }
        if (!isAborted(signal) && (to === undefined || next <= to))
          link.logger.info({ stream, next, reason: session.endedBy() }, 'reading on with a new consumer');
      } finally {
        session.close();
      }
    }
    await pauseOrConnect(link.state, pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** A session, or null when it is worth trying again. */
const open = async (
  link: Link,
  { stream, next, to, gatherMs, signal }: Pick<ReadOptions, 'stream' | 'to' | 'gatherMs' | 'signal'> & { readonly next: number },
  last: HandedOut | undefined,
  giveUpMs: number,
): Promise<ReadSession | null> => {
  try {
    if (link.nc.isClosed()) throw closed();
    if (link.state.status().kind !== 'connected') throw disconnected();
    if (last !== undefined) await assertSameHistory(link, stream, last);
    return await openReadSession(link, {
      stream,
      start: { sequence: next },
      most: to === undefined ? undefined : to - next + 1,
      gatherMs,
      signal,
    });
  } catch (error) {
    if (error instanceof InvariantError) throw error;
    const failure = asBusError(error, `reading ${stream}`);
    if (link.nc.isClosed() || Date.now() > giveUpMs) throw failure;
    link.logger.debug({ err: failure, stream, next }, 'the stream cannot be read now; trying again');
    return null;
  }
};

const assertSameHistory = async (link: Link, stream: string, last: HandedOut): Promise<void> => {
  const message = await link.jsm.streams.getMessage(stream, { seq: last.sequence });
  if (message !== null && message.time.getTime() === last.storedAtMs) return;
  const { state } = await link.jsm.streams.info(stream);
  // Aged out in the meantime.
  if (message === null && state.first_seq > last.sequence) return;
  const seen = message === null ? `it ends at ${state.last_seq}` : 'there is another message in its place';
  throw new InvariantError(`stream ${stream} is not what it was: expected message ${last.sequence} as it was read before, but ${seen}`);
};
