import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { IncomingMessage } from '../bus/messenger.ts';
import type { Config } from '../config/schema.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { subjects } from '../events/index.ts';
import { createAcceptChat, createReadTenant, newRequestId } from './accept-chat.ts';
import { buryInput } from './dead-letter.ts';
import type { GatewayError } from './error-catalogue.ts';
import { createReceiveFeedback } from './feedback.ts';
import { publishRefusal, refusedAcknowledgement, type PublishAcknowledgement } from './nats-error.ts';
import { headerOf, isReplySubject, natsHeaders } from './nats-headers.ts';
import { encodeJson } from './nats-messages.ts';
import { toWorkItem } from './work-item.ts';

/**
 * The NATS face of the yard. Takes requests from `switchyard.request.<tenant>`, checks them and puts them into the work queue; a worker answers on the
 * reply subject. A stream that captured the request subject itself would send its acknowledgement to the caller's inbox and lose the reply subject.
 *
 * 1. Whoever named a reply subject is told: accepted (when streamed or with an acknowledgement inbox), or refused with a code.
 * 2. Input that nobody can be told about becomes a dead letter with its body.
 * 3. Every message received is an item of work of its own, and the request id makes the *answer* one: a retry on a new inbox gets the recorded
 *    answer. Only with `Nats-Msg-Id` and the same reply subject is a second message dropped, as JetStream does.
 */
export type NatsGateway = { readonly counts: () => NatsGatewayCounts; readonly close: () => Promise<void> };

export type NatsGatewayCounts = { readonly accepted: number; readonly refused: number; readonly buried: number; readonly underWay: number };

export type NatsGatewayParts = {
  readonly config: Config;
  readonly bus: Pick<Bus, 'requests' | 'messenger' | 'dead' | 'log'>;
  readonly logger: Logger;
  readonly instance: string;
  readonly drainMs?: number;
};

/** Members of one group share the requests: each goes to one gateway. */
const queue = 'switchyard-gateways';
const queueStream = 'SWITCHYARD_REQUESTS';

export const startNatsGateway = async (parts: NatsGatewayParts): Promise<NatsGateway> => {
  const { bus, logger, drainMs = 10_000 } = parts;
  const counts = { accepted: 0, refused: 0, buried: 0, underWay: 0 };
  const receiveRequest = createReceiveRequest(parts, counts);
  const receiveFeedback = createReceiveFeedbackMessage(parts, counts);

  const bounded = (receive: (message: IncomingMessage) => Promise<void>) => (message: IncomingMessage) => {
    if (counts.underWay >= parts.config.requests.concurrency) {
      counts.refused++;
      tell(parts, message.reply, newRequestId(), overloaded);
      return;
    }
    counts.underWay++;
    receive(message)
      .catch((error: unknown) => {
        logger.error({ err: error, subject: message.subject }, 'a message could not be handled');
      })
      .finally(() => {
        counts.underWay--;
      });
  };

  const subscriptions = [
    bus.messenger.subscribe(subjects.request('*'), bounded(receiveRequest), { queue }),
    bus.messenger.subscribe(subjects.feedback('*'), bounded(receiveFeedback), { queue }),
  ];
  await Promise.all(subscriptions.map(({ ready }) => ready));
  return {
    counts: () => ({ ...counts }),
    close: async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      const untilMs = Date.now() + drainMs;
      while (counts.underWay > 0 && Date.now() < untilMs) await sleep(10);
      if (counts.underWay > 0)
        logger.warn({ underWay: counts.underWay, drainMs }, 'closing: messages are left that could not be put into the queue');
    },
  };
};

type Counts = { accepted: number; refused: number; buried: number };

const createReceiveRequest = (parts: NatsGatewayParts, counts: Counts) => {
  const { config, bus, logger } = parts;
  const accept = createAcceptChat(config);

  const refuse = async (message: IncomingMessage, way: ReplyWay, requestId: string, error: GatewayError) => {
    counts.refused++;
    logger.debug({ requestId, code: error.code, subject: message.subject }, 'refused a request');
    if (way.kind === 'none') {
      counts.buried++;
      return buryInput({ dead: bus.dead, logger }, message, error);
    }
    tell(parts, way.reply, requestId, error);
    if (way.acknowledge !== undefined) acknowledge(parts, way.acknowledge, refusedAcknowledgement(queueStream, error));
  };

  return async (message: IncomingMessage): Promise<void> => {
    const way = replyWay(message);
    const header = (name: string) => headerOf(message.headers, name);
    if (message.body.byteLength > config.http.bodyLimitBytes)
      return refuse(message, way, newRequestId(), tooLarge(config.http.bodyLimitBytes, message.body.byteLength));
    const accepted = accept(
      {
        tenant: lastToken(message.subject),
        requestId: header(natsHeaders.requestId) ?? message.messageId,
        cacheControl: header(natsHeaders.cacheControl),
        traceparent: header(natsHeaders.traceparent),
        receivedAtMs: Date.now(),
      },
      message.body,
    );
    if (accepted.kind === 'refused') return refuse(message, way, accepted.requestId, accepted.error);
    const { request } = accepted;
    if (way.kind === 'none') return refuse(message, way, request.requestId, way.error);
    if (way.error !== undefined) return refuse(message, way, request.requestId, way.error);

    const delivery = request.streamed ? 'chunks' : 'whole';
    const once = message.messageId === undefined ? randomUUID() : way.reply;
    const item = toWorkItem(
      { request, reply: way.reply, delivery },
      message.body,
      `${request.tenant}:request:${request.requestId}:${once}`,
    );
    try {
      const stored = await bus.requests.put(item);
      counts.accepted++;
      if (way.acknowledge !== undefined)
        acknowledge(parts, way.acknowledge, {
          stream: queueStream,
          seq: stored.sequence,
          ...(stored.duplicate ? { duplicate: true } : {}),
        });
      else if (request.streamed)
        bus.messenger.publish(way.reply, encodeJson({ type: 'accepted', seq: 0, request_id: request.requestId }), {
          [natsHeaders.requestId]: request.requestId,
        });
    } catch (error) {
      return refuse(message, way, request.requestId, putFailure(error, logger, request.requestId));
    }
  };
};

const createReceiveFeedbackMessage = (parts: NatsGatewayParts, counts: Counts) => {
  const { config, bus, logger } = parts;
  const readTenant = createReadTenant(config);
  const receive = createReceiveFeedback({ log: bus.log, instance: parts.instance });
  return async (message: IncomingMessage): Promise<void> => {
    const tenant = readTenant(lastToken(message.subject));
    const received = tenant.kind === 'refused' ? tenant : await receive(tenant.value, message.messageId, message.body);
    const reply = message.reply !== undefined && isReplySubject(message.reply) ? message.reply : undefined;
    if (received.kind === 'read') {
      counts.accepted++;
      if (reply !== undefined) bus.messenger.publish(reply, encodeJson({ type: 'feedback', ...received.value }));
      return;
    }
    counts.refused++;
    if (reply !== undefined) return tell(parts, reply, '', received.error);
    counts.buried++;
    await buryInput({ dead: bus.dead, logger }, message, received.error);
  };
};

/**
 * Where the answer goes. With the header `Switchyard-Reply` it goes there, and the reply subject of the message itself is where the publisher waits
 * for an acknowledgement, as `js.publish()` does.
 */
type ReplyWay =
  | { readonly kind: 'reply'; readonly reply: string; readonly acknowledge?: string; readonly error?: GatewayError }
  | { readonly kind: 'none'; readonly error: GatewayError };

const replyWay = (message: IncomingMessage): ReplyWay => {
  const native = message.reply !== undefined && isReplySubject(message.reply) ? message.reply : undefined;
  const given = headerOf(message.headers, natsHeaders.reply);
  if (given !== undefined && isReplySubject(given))
    return { kind: 'reply', reply: given, ...(native === undefined ? {} : { acknowledge: native }) };
  const error: GatewayError = {
    code: 'no_reply_subject',
    param: natsHeaders.reply,
    message: `Expected a reply subject without wildcards and outside of "$" and "switchyard.", got ${given === undefined ? 'none' : `"${given.slice(0, 128)}"`}.`,
  };
  if (native === undefined) return { kind: 'none', error };
  return { kind: 'reply', reply: native, ...(given === undefined ? {} : { error }) };
};

const tell = ({ bus, logger }: NatsGatewayParts, reply: string | undefined, requestId: string, error: GatewayError): void => {
  if (reply !== undefined && isReplySubject(reply)) publishRefusal(bus.messenger, reply, requestId, error);
  else logger.warn({ code: error.code }, 'refused a message of somebody who cannot be told');
};

const acknowledge = ({ bus }: NatsGatewayParts, subject: string, acknowledgement: PublishAcknowledgement): void => {
  bus.messenger.publish(subject, encodeJson(acknowledgement));
};

const putFailure = (error: unknown, logger: Logger, requestId: string): GatewayError => {
  if (error instanceof TransientError)
    return {
      code: 'unavailable',
      message: `The queue cannot be reached (${error.code}); try again with the same request id.`,
      retryAfterMs: error.retryAfterMs,
    };
  if (error instanceof PermanentError && error.code === 'too-large')
    return { code: 'body_too_large', message: `Expected a body that the NATS server lets through: ${error.message}.` };
  logger.error({ err: error, requestId }, 'a request could not be put into the queue');
  return { code: 'internal', message: 'The request could not be queued because of a mistake in the yard.' };
};

const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1);

const tooLarge = (limitBytes: number, bytes: number): GatewayError => ({
  code: 'body_too_large',
  message: `Expected at most ${limitBytes} bytes, got ${bytes}.`,
});

const overloaded: GatewayError = {
  code: 'overloaded',
  message: 'Too many requests are being queued by this gateway; try again.',
  retryAfterMs: 1_000,
};
