import { createInbox, nanos, type Msg } from '@nats-io/transport-node';
import { parseDelivery, type Delivered } from './delivered.ts';
import type { Link } from './link.ts';

/**
 * Pulls messages from a consumer, one request at a time, so that never more is on its way than was asked for. (`consume()` of the client library asks
 * ahead of the reader and hides the end of a request, so neither the log's strict order nor a bounded number of unsettled items can be built on it.)
 *
 * 1. A pull ends as `filled`, as `expired` (its time is over, or its bytes are used up: pull again) or as `lost` (make a new consumer).
 * 2. While a pull waits, the server sends a heartbeat; two missing ones end it as `lost`. So does a break of the connection.
 */
export type Puller = {
  /** `waits` (the default): until there is something to deliver. Otherwise what is there now, and `expired` right after. */
  readonly pull: (want: { readonly messages: number; readonly bytes?: number; readonly waits?: boolean }) => Promise<PullEnd>;
  readonly close: () => void;
};

export type PullEnd =
  | { readonly kind: 'filled' }
  | { readonly kind: 'expired'; readonly received: number }
  | { readonly kind: 'lost'; readonly reason: string };

const heartbeatsOfAPull = 6;
const missedHeartbeats = 2;
/** The protocol gives these two the code of a deleted consumer: only the text tells them apart. */
const usedUp = /^(message size exceeds maxbytes|batch completed)/i;

export const openPuller = (
  link: Link,
  target: { readonly stream: string; readonly consumer: string },
  onMessage: (message: Delivered) => void,
): Puller => {
  const { nc, heartbeatMs, state } = link;
  const inbox = createInbox();
  const nextSubject = `$JS.API.CONSUMER.MSG.NEXT.${target.stream}.${target.consumer}`;
  const limits = { expires: nanos(heartbeatMs * heartbeatsOfAPull), idle_heartbeat: nanos(heartbeatMs) };
  let count = 0;
  let wanted = 0;
  let received = 0;
  let end: ((end: PullEnd) => void) | undefined;
  let watchdog: NodeJS.Timeout | undefined;

  const finish = (how: PullEnd) => {
    clearTimeout(watchdog);
    watchdog = undefined;
    const resolve = end;
    end = undefined;
    resolve?.(how);
  };

  const onStatusMessage = (message: Msg) => {
    // Of an earlier pull: nothing that still waits depends on it.
    if (message.subject !== `${inbox}.${count}`) return;
    const code = message.headers?.code ?? 0;
    const description = message.headers?.description ?? '';
    if (code === 100) return;
    if (code === 404 || code === 408 || (code === 409 && usedUp.test(description))) finish({ kind: 'expired', received });
    else finish({ kind: 'lost', reason: code === 503 ? 'the consumer is gone' : `${code} ${description}`.trim() });
  };

  const subscription = nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) {
        finish({ kind: 'lost', reason: error.message });
        return;
      }
      watchdog?.refresh();
      if (message.subject.startsWith(inbox)) {
        onStatusMessage(message);
        return;
      }
      received++;
      onMessage(parseDelivery(message));
      if (received === wanted) finish({ kind: 'filled' });
    },
  });

  const stop = state.onStatus((status) => {
    if (status.kind !== 'connected') finish({ kind: 'lost', reason: 'the connection broke' });
  });

  return {
    pull: ({ messages, bytes, waits = true }) =>
      new Promise((resolve) => {
        end = resolve;
        wanted = messages;
        received = 0;
        count++;
        if (state.status().kind !== 'connected') {
          finish({ kind: 'lost', reason: 'there is no connection' });
          return;
        }
        watchdog = setTimeout(() => {
          finish({ kind: 'lost', reason: `no message and no heartbeat for ${missedHeartbeats * heartbeatMs} ms` });
        }, missedHeartbeats * heartbeatMs);
        const want = { batch: messages, ...(bytes === undefined ? {} : { max_bytes: bytes }), ...(waits ? limits : { no_wait: true }) };
        nc.publish(nextSubject, JSON.stringify(want), { reply: `${inbox}.${count}` });
      }),
    close: () => {
      stop();
      subscription.unsubscribe();
      finish({ kind: 'lost', reason: 'closed' });
    },
  };
};
