import { millis, nanos } from '@nats-io/transport-node';
import type { TakenItem } from '../work-queue.ts';
import { createMailbox } from '../mailbox.ts';
import { applyConsumer } from './apply-topology.ts';
import { pauseOrConnect } from './connection.ts';
import type { Delivered } from './delivered.ts';
import { asBusError, closed } from './failures.ts';
import { fromHeaders } from './headers.ts';
import type { Link } from './link.ts';
import { createPlaces, type Places } from './places.ts';
import { openPuller } from './puller.ts';
import type { ConsumerSpec } from './topology.ts';

/**
 * Takes items from a durable consumer.
 *
 * 1. A pull asks for as many items as there is room for, so that none waits here past its acknowledgement wait.
 * 2. An item holds its place until it is settled, or until the server has given it up: the acknowledgement wait after it came or said `working`.
 * 3. Items that have arrived but were not handed out when the taker ends are given back at once.
 * 4. A consumer that is gone or stalled is made again.
 */
const encoder = new TextEncoder();
const done = encoder.encode('+ACK');
const notDone = encoder.encode('-NAK');
const working = encoder.encode('+WPI');

const firstPauseMs = 50;
const longestPauseMs = 2_000;

export async function* takeFrom(
  link: Link,
  spec: ConsumerSpec,
  { concurrency, signal }: { readonly concurrency: number; readonly signal: AbortSignal },
): AsyncGenerator<TakenItem, void, undefined> {
  const places = createPlaces(concurrency, millis(spec.config.ack_wait ?? 0));
  let pauseMs = firstPauseMs;
  while (!isAborted(signal)) {
    const round = openRound(link, spec, places, signal);
    let waiting: TakenItem[] = [];
    try {
      do {
        for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
          pauseMs = firstPauseMs;
          yield item;
          if (isAborted(signal)) return;
        }
        waiting = [...(await round.take())];
      } while (waiting.length > 0 && !isAborted(signal));
    } finally {
      for (const item of [...waiting, ...round.close()]) item.again(0);
    }
    if (isAborted(signal)) return;
    if (link.nc.isClosed()) throw closed();
    await pauseOrConnect(link.state, pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    await makeAgain(link, spec);
  }
}

type Round = {
  readonly take: () => Promise<readonly TakenItem[]>;
  /** What had arrived and was not taken. */
  readonly close: () => readonly TakenItem[];
};

/** Pulls until the consumer is lost or the signal aborts. */
const openRound = (link: Link, spec: ConsumerSpec, places: Places, signal: AbortSignal): Round => {
  const arrived = createMailbox<TakenItem>();
  let isOver = false;
  const target = { stream: spec.stream, consumer: spec.config.durable_name };
  const puller = openPuller(link, target, (delivered) => {
    arrived.put(toItem(link, spec, delivered, places));
  });
  const finish = () => {
    isOver = true;
    puller.close();
    arrived.end();
  };

  const keepPulling = async () => {
    while (!isOver) {
      await places.room();
      if (isDone()) return;
      const end = await puller.pull({ messages: places.free() });
      if (end.kind === 'lost') {
        if (!isDone()) link.logger.info({ ...target, reason: end.reason }, 'taking from the queue again');
        finish();
      }
    }
  };
  const isDone = (): boolean => isOver;
  keepPulling().catch((error: unknown) => {
    link.logger.error({ err: error, ...target }, 'taking from the queue failed');
    finish();
  });
  signal.addEventListener('abort', finish);
  if (signal.aborted) finish();

  return {
    take: arrived.take,
    close: () => {
      signal.removeEventListener('abort', finish);
      finish();
      return arrived.drain();
    },
  };
};

const toItem = (link: Link, spec: ConsumerSpec, { message, delivery, sequence }: Delivered, places: Places): TakenItem => {
  const key = `${sequence}/${delivery}`;
  const reply = message.reply ?? '';
  places.hold(key);
  const tell = (body: Uint8Array) => {
    // Without a connection there is nobody to tell: the server hands the item out again after the acknowledgement wait.
    if (link.state.status().kind === 'connected') link.nc.publish(reply, body);
  };
  return {
    subject: message.subject,
    headers: fromHeaders(message.headers),
    body: message.data,
    delivery,
    maxDeliveries: spec.config.max_deliver ?? -1,
    sequence,
    done: async () => {
      await link.acknowledged.request(reply, done, { timeoutMs: link.timeoutMs });
      places.giveBack(key);
    },
    again: (afterMs) => {
      tell(afterMs > 0 ? encoder.encode(`-NAK ${JSON.stringify({ delay: nanos(afterMs) })}`) : notDone);
      places.giveBack(key);
    },
    working: () => {
      tell(working);
      places.renew(key);
    },
  };
};

const makeAgain = async (link: Link, spec: ConsumerSpec): Promise<void> => {
  if (link.state.status().kind !== 'connected') return;
  await applyConsumer(link.jsm, spec).catch((error: unknown) => {
    link.logger.warn({ err: asBusError(error, `consumer ${spec.config.durable_name}`) }, 'the consumer cannot be made now; trying again');
  });
};

const isAborted = (signal: AbortSignal): boolean => signal.aborted;
