import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { ApiError, PubAck } from '@nats-io/jetstream';
import { apiCodes, closed, disconnected, interrupted, noResponder, refused, timedOut } from './failures.ts';
import type { ConnectionState } from './connection.ts';

/**
 * Publications that the server acknowledges, over one reply subscription. Measured against `js.publish`: a quarter of the processor time and twice the
 * rate at 64 in flight, because nothing is prepared for errors that do not happen.
 *
 * When the connection breaks, all that wait are told at once (the acknowledgement can no longer come) instead of at their timeouts.
 * Publications of one turn of the event loop leave in one write: a write costs more than what is in it. Measured at 32 requests at a time, see BENCHMARKS.md.
 * Bounded by the callers: one entry for each call under way.
 */
export type Acknowledged = {
  /** Sends, and waits for whatever answers. Rejects with TransientError. */
  readonly request: (subject: string, body: Uint8Array, options: SendOptions) => Promise<Msg>;
  /** Stores into the stream that takes this subject. A refusal by the server rejects with the error that `failures.ts` gives it. */
  readonly store: (subject: string, body: Uint8Array, options: SendOptions) => Promise<Stored>;
  readonly close: () => void;
};

export type SendOptions = { readonly headers?: MsgHdrs; readonly timeoutMs: number };

export type Stored =
  { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean } | { readonly kind: 'wrong-last-sequence' };

type StoreAnswer = Partial<PubAck> & { readonly error?: ApiError };

type Waiting = {
  readonly subject: string;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (message: Msg) => void;
  readonly reject: (error: Error) => void;
};

export const createAcknowledged = (nc: NatsConnection, state: ConnectionState): Acknowledged => {
  const inbox = createInbox();
  const waiting = new Map<string, Waiting>();
  let leaving: (() => void)[] = [];
  let count = 0;

  const leave = () => {
    const publications = leaving;
    leaving = [];
    for (const publish of publications) publish();
  };

  const settle = (token: string): Waiting | undefined => {
    const entry = waiting.get(token);
    if (entry === undefined) return undefined;
    waiting.delete(token);
    clearTimeout(entry.timer);
    return entry;
  };

  const subscription = nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return;
      const entry = settle(message.subject.slice(inbox.length + 1));
      if (entry === undefined) return;
      if (message.data.length === 0 && message.headers?.code === 503) entry.reject(noResponder(entry.subject));
      else entry.resolve(message);
    },
  });

  const stop = state.onStatus((status) => {
    if (status.kind === 'connected') return;
    for (const [token, entry] of waiting) {
      settle(token);
      entry.reject(interrupted(entry.subject));
    }
  });

  const request: Acknowledged['request'] = (subject, body, { headers, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const { kind } = state.status();
      if (kind !== 'connected') {
        reject(kind === 'closed' ? closed() : disconnected());
        return;
      }
      const token = (count++).toString(36);
      const timer = setTimeout(() => {
        settle(token)?.reject(timedOut(subject, timeoutMs));
      }, timeoutMs);
      waiting.set(token, { subject, timer, resolve, reject });
      const publish = () => {
        try {
          nc.publish(subject, body, { reply: `${inbox}.${token}`, ...(headers === undefined ? {} : { headers }) });
        } catch (error) {
          settle(token)?.reject(error instanceof Error ? error : new TypeError(String(error)));
        }
      };
      if (leaving.push(publish) === 1) setImmediate(leave);
    });

  return {
    request,
    store: async (subject, body, options) => {
      const answer: StoreAnswer = (await request(subject, body, options)).json();
      const { error } = answer;
      if (error?.err_code === apiCodes.wrongLastSequence || error?.err_code === apiCodes.wrongLastSequenceUnknown)
        return { kind: 'wrong-last-sequence' };
      if (error !== undefined) throw refused(subject, error);
      if (answer.seq === undefined) throw new TypeError(`expected an acknowledgement with a sequence for ${subject}`);
      return { kind: 'stored', sequence: answer.seq, duplicate: answer.duplicate === true };
    },
    close: () => {
      stop();
      subscription.unsubscribe();
    },
  };
};
