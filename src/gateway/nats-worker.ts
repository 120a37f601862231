import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Messenger } from '../bus/messenger.ts';
import type { TakenItem } from '../bus/work-queue.ts';
import type { Config } from '../config/schema.ts';
import { subjects } from '../events/index.ts';
import type { Answering } from '../requests/answer.ts';
import { modelNames } from './accept-chat.ts';
import { createAnswerPublisher } from './answer-publisher.ts';
import { cancellationKey, createRecentCancellations, readCancellation } from './cancellations.ts';
import { createReadChatBody } from './chat-schema.ts';
import { buryInput } from './dead-letter.ts';
import { errorCatalogue } from './error-catalogue.ts';
import { publishRefusal } from './nats-error.ts';
import { encodeJson } from './nats-messages.ts';
import { publishChunks, publishWhole } from './publish-answer.ts';
import { readWork, type Work } from './work-item.ts';

/**
 * Takes accepted requests from the work queue, has them answered and publishes the answers.
 *
 * 1. An item is acknowledged after its last message has reached the server, over a connection that did not break in between: chunks published into a
 *    break are lost, and the next attempt gives the recorded answer anew.
 * 2. What failed for want of the log or of room goes back into the queue, later each time; at the last delivery the caller is told, and it becomes a dead letter.
 * 3. On closing nothing new is taken; what does not end within `drainMs` is given back to the queue, and not cancelled: another worker carries it on.
 */
export type NatsWorker = {
  /** False when nothing is taken any more. */
  readonly isTaking: () => boolean;
  readonly underWay: () => number;
  readonly close: () => Promise<void>;
};

export type NatsWorkerParts = {
  readonly config: Config;
  readonly bus: Bus;
  readonly answering: Answering;
  readonly logger: Logger;
  readonly drainMs?: number;
};

type UnderWay = { readonly item: TakenItem; readonly caller: AbortController; readonly key: string; isGivenBack: boolean };

export const startNatsWorker = async (parts: NatsWorkerParts): Promise<NatsWorker> => {
  const { config, bus, logger, drainMs = 10_000 } = parts;
  const { ackWaitSeconds, concurrency } = config.requests;
  const underWay = new Set<UnderWay>();
  const stop = new AbortController();
  const cancelled = createRecentCancellations();
  const readBody = createReadChatBody(config.requests, modelNames(config));
  let breaks = 0;
  let taking = true;
  const unwatch = bus.onStatus((status) => {
    if (status.kind !== 'connected') breaks++;
  });

  const cancellations = bus.messenger.subscribe(subjects.cancel, ({ body }) => {
    const key = readCancellation(body);
    if (key === null) return;
    const works = [...underWay].filter((it) => it.key === key);
    if (works.length === 0) cancelled.add(key);
    for (const { caller } of works) caller.abort();
  });
  // A gateway in another process asks whether anybody takes from the queue.
  const presence = bus.messenger.subscribe(subjects.actor('worker'), ({ reply }) => {
    if (reply !== undefined && taking) bus.messenger.publish(reply, encodeJson({ taking }));
  });
  await Promise.all([cancellations.ready, presence.ready]);

  const heartbeat = setInterval(
    () => {
      for (const { item } of underWay) item.working();
    },
    (ackWaitSeconds * 1_000) / 3,
  );

  const handle = async (item: TakenItem): Promise<void> => {
    const read = readWork(item, readBody);
    if (read.kind === 'poison') {
      if (read.reply !== undefined) publishRefusal(bus.messenger, read.reply, read.requestId ?? '', read.error);
      if (await buryInput({ dead: bus.dead, logger }, item, read.error)) await item.done();
      else item.again(pauseMs(item.delivery, undefined));
      return;
    }
    const { work } = read;
    const key = cancellationKey(work.request.requestId, work.reply);
    // Nobody waits for it and nothing was decided: there is nothing to record.
    if (item.delivery === 1 && cancelled.take(key)) return item.done();
    const entry: UnderWay = { item, key, caller: new AbortController(), isGivenBack: false };
    underWay.add(entry);
    try {
      await answer(entry, work);
    } finally {
      underWay.delete(entry);
    }
  };

  const answer = async (entry: UnderWay, work: Work): Promise<void> => {
    const { item } = entry;
    const breaksBefore = breaks;
    const publisher = createAnswerPublisher({
      messenger: unlessGivenBack(bus.messenger, entry),
      reply: work.reply,
      requestId: work.request.requestId,
    });
    const answerParts = parts.answering.answer(work.request, entry.caller.signal);
    const error = await (work.delivery === 'chunks' ? publishChunks : publishWhole)(answerParts, publisher);
    if (entry.isGivenBack) return;
    if (error !== null) {
      const isTransient = errorCatalogue[error.code].retry === 'same-id';
      if (isTransient && item.delivery < item.maxDeliveries) {
        logger.info({ requestId: work.request.requestId, code: error.code, delivery: item.delivery }, 'back into the queue');
        item.again(pauseMs(item.delivery, error.retryAfterMs));
        return;
      }
      publisher.error(error);
      // Left unacknowledged, the queue itself buries it (see bus/jetstream/undelivered.ts).
      if (isTransient && !(await buryInput({ dead: bus.dead, logger }, item, error))) return;
    }
    await bus.messenger.flush();
    if (breaks === breaksBefore) await item.done();
    else item.again(0);
  };

  const handleSafely = async (item: TakenItem) => {
    try {
      await handle(item);
    } catch (error) {
      logger.warn(
        { err: error, sequence: item.sequence, delivery: item.delivery },
        'a queued request could not be finished; it comes again',
      );
      item.again(pauseMs(item.delivery, undefined));
    }
  };

  const take = async () => {
    for await (const item of bus.requests.take({ concurrency, signal: stop.signal })) void handleSafely(item);
  };
  const taken = take()
    .catch((error: unknown) => {
      logger.error({ err: error }, 'requests are no longer taken from the queue');
    })
    .finally(() => {
      taking = false;
    });

  return {
    isTaking: () => taking,
    underWay: () => underWay.size,
    close: async () => {
      stop.abort();
      await taken;
      const untilMs = Date.now() + drainMs;
      while (underWay.size > 0 && Date.now() < untilMs) await sleep(10);
      for (const entry of underWay) {
        entry.isGivenBack = true;
        entry.item.again(0);
      }
      if (underWay.size > 0) logger.warn({ requests: underWay.size, drainMs }, 'closing: requests were given back to the queue');
      clearInterval(heartbeat);
      unwatch();
      await Promise.all([cancellations.close(), presence.close()]);
    },
  };
};

/** A publisher may be at work on what another worker has by now. */
const unlessGivenBack = (messenger: Messenger, entry: UnderWay): Messenger => ({
  ...messenger,
  publish: (subject, body, headers) => {
    if (!entry.isGivenBack) messenger.publish(subject, body, headers);
  },
});

const firstPauseMs = 250;
const longestPauseMs = 10_000;

const pauseMs = (delivery: number, retryAfterMs: number | undefined): number =>
  Math.min(Math.max(retryAfterMs ?? 0, firstPauseMs) * 2 ** (delivery - 1), longestPauseMs);
