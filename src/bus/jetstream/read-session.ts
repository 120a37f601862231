import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nanos } from '@nats-io/transport-node';
import type { ConsumerConfig } from '@nats-io/jetstream';
import { createMailbox } from '../mailbox.ts';
import type { Delivered } from './delivered.ts';
import type { Link } from './link.ts';
import { openPuller } from './puller.ts';

/**
 * One consumer of the server for one reader, and what has arrived from it. Ends, and says why, when a message was lost on the way, when the consumer
 * is gone, or when it says nothing although it has something to deliver. Holds at most two pulls: the next is made when the reader has room for it.
 */
export type ReadSession = {
  /** Messages that the consumer had to deliver when it was made. */
  readonly pendingAtStart: number;
  /** The next messages, at least one; none when the session has ended or the signal aborted. */
  readonly take: () => Promise<readonly Delivered[]>;
  readonly endedBy: () => string | undefined;
  readonly close: () => void;
};

export type ReadStart = { readonly sequence: number } | { readonly timeMs: number };

const pullMessages = 1_000;
const pullBytes = 8 * 1024 ** 2;
/** What a message weighs beside its payload: subjects and the protocol. */
const overheadBytes = 64 * 1024;
/** The server forgets the consumer of a reader that has gone, or that took so long over two pulls. */
const inactiveMs = 60_000;

export type ReadSessionOptions = {
  readonly stream: string;
  readonly start: ReadStart;
  /** Ends after so many: what a pull asks for too much is read from the disk and sent all the same. */
  readonly most?: number | undefined;
  /** Rests so long between two looks for messages, and takes what has gathered. Without it each message is delivered as it comes. */
  readonly gatherMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** A reader that gathers asks so often whether its consumer holds something back. */
const checkEveryMs = 10_000;

export const openReadSession = async (
  link: Link,
  { stream, start, most = Infinity, gatherMs, signal }: ReadSessionOptions,
): Promise<ReadSession> => {
  const name = `reader-${randomUUID()}`;
  const info = await link.jsm.consumers.add(stream, { ...volatile, name, ...startingAt(start) });
  const bytes = Math.max(pullBytes, link.maxPayloadBytes() + overheadBytes);

  const arrived = createMailbox<Delivered>();
  let handedOut = 0;
  let lastConsumerSequence = 0;
  let ended: string | undefined;
  let makeRoom: (() => void) | undefined;
  let lastCheckMs = Date.now();
  let heldBackAt: number | undefined;
  const resting = new AbortController();

  const finish = (reason: string) => {
    ended ??= reason;
    arrived.end();
    makeRoom?.();
    resting.abort();
  };
  const isOver = (): boolean => ended !== undefined;

  const puller = openPuller(link, { stream, consumer: name }, (message) => {
    if (isOver()) return;
    if (message.consumerSequence !== lastConsumerSequence + 1) {
      finish(`expected delivery ${lastConsumerSequence + 1}, got ${message.consumerSequence}`);
      return;
    }
    lastConsumerSequence = message.consumerSequence;
    arrived.put(message);
  });

  const room = () =>
    new Promise<void>((resolve) => {
      makeRoom = resolve;
      if (isOver() || arrived.size() + handedOut < pullMessages) resolve();
    });

  /** A pull that waited found nothing, so nothing may be pending; one that did not wait may have come too early, and asks now and then. */
  const checkConsumer = async () => {
    if (gatherMs !== undefined && Date.now() - lastCheckMs < checkEveryMs) return;
    const before = lastConsumerSequence;
    const { num_pending: pending } = await link.jsm.consumers.info(stream, name);
    if (gatherMs === undefined && pending > 0) finish(`the consumer holds back ${pending} messages`);
    else if (pending > 0 && heldBackAt === before) finish(`the consumer holds back ${pending} messages`);
    heldBackAt = pending > 0 ? before : undefined;
    lastCheckMs = Date.now();
  };

  const keepPulling = async () => {
    while (!isOver()) {
      const left = most - lastConsumerSequence;
      if (left <= 0) {
        finish('all that was asked for has arrived');
        return;
      }
      const end = await puller.pull({ messages: Math.min(pullMessages, left), bytes, waits: gatherMs === undefined });
      if (end.kind === 'lost') finish(end.reason);
      else if (end.kind === 'expired' && end.received === 0) await checkConsumer();
      else await room();
      if (gatherMs !== undefined && end.kind === 'expired')
        await sleep(gatherMs, undefined, { signal: resting.signal }).catch(() => undefined);
    }
  };
  keepPulling().catch((error: unknown) => {
    finish(error instanceof Error ? error.message : String(error));
  });

  const onAbort = () => {
    finish('aborted');
  };
  signal?.addEventListener('abort', onAbort);

  return {
    pendingAtStart: info.num_pending,
    take: async () => {
      handedOut = 0;
      makeRoom?.();
      const chunk = await arrived.take();
      if (signal?.aborted === true) return [];
      handedOut = chunk.length;
      return chunk;
    },
    endedBy: () => ended,
    close: () => {
      signal?.removeEventListener('abort', onAbort);
      finish('closed');
      puller.close();
      // A courtesy: the server forgets the consumer by itself after `inactiveMs`.
      if (link.state.status().kind === 'connected') link.jsm.consumers.delete(stream, name).catch(() => undefined);
    },
  };
};

const volatile = {
  ack_policy: 'none',
  replay_policy: 'instant',
  mem_storage: true,
  num_replicas: 1,
  inactive_threshold: nanos(inactiveMs),
} as const;

const startingAt = (start: ReadStart): Pick<ConsumerConfig, 'deliver_policy' | 'opt_start_seq' | 'opt_start_time'> =>
  'sequence' in start
    ? { deliver_policy: 'by_start_sequence', opt_start_seq: Math.max(1, start.sequence) }
    : { deliver_policy: 'by_start_time', opt_start_time: new Date(start.timeMs).toISOString() };
