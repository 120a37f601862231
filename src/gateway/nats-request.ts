import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { IncomingMessage } from '../bus/messenger.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { createAcceptChat, newRequestId } from './accept-chat.ts';
import { buryInput } from './dead-letter.ts';
import type { GatewayError } from './error-catalogue.ts';
import type { Counts, NatsGatewayParts } from './nats-gateway.ts';
import { headerOf, natsHeaders } from './nats-headers.ts';
import { encodeJson } from './nats-messages.ts';
import { lastToken, replyWay, tell, type ReplyWay } from './nats-reply.ts';
import { toWorkItem } from './work-item.ts';

/** Named in acknowledgements, as JetStream does. */
const queueStream = 'SWITCHYARD_REQUESTS';

/** A request on `switchyard.request.<tenant>`: checked, put into the queue, acknowledged. */
export const receiveRequestMessage = (parts: NatsGatewayParts, counts: Counts) => {
  const { config, bus, logger } = parts;
  const accept = createAcceptChat(config);

  const refuse = async (message: IncomingMessage, way: ReplyWay, requestId: string, error: GatewayError) => {
    counts.refused++;
    logger.debug({ requestId, code: error.code, subject: message.subject }, 'refused a request');
    if (way.kind === 'none') {
      if (await buryInput({ dead: bus.dead, logger }, message, error)) counts.buried++;
      return;
    }
    tell(parts, way, requestId, error);
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
        conversation: header(natsHeaders.conversation),
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
    let stored: { readonly sequence: number; readonly duplicate: boolean };
    try {
      stored = await bus.requests.put(item);
    } catch (error) {
      return refuse(message, way, request.requestId, putFailure(error, logger, request.requestId));
    }
    counts.accepted++;
    if (way.acknowledge !== undefined) {
      const acknowledgement = { stream: queueStream, seq: stored.sequence, ...(stored.duplicate ? { duplicate: true } : {}) };
      bus.messenger.publish(way.acknowledge, encodeJson(acknowledgement));
    } else if (request.streamed) {
      const notice = { type: 'accepted', seq: 0, request_id: request.requestId };
      bus.messenger.publish(way.reply, encodeJson(notice), { [natsHeaders.requestId]: request.requestId });
    }
  };
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

const tooLarge = (limitBytes: number, bytes: number): GatewayError => ({
  code: 'body_too_large',
  message: `Expected at most ${limitBytes} bytes, got ${bytes}.`,
});
