import type { IncomingMessage } from '../bus/messenger.ts';
import type { GatewayError } from './error-catalogue.ts';
import { publishRefusal, refusedAcknowledgement } from './nats-error.ts';
import type { NatsGatewayParts } from './nats-gateway.ts';
import { headerOf, isReplySubject, natsHeaders } from './nats-headers.ts';
import { encodeJson } from './nats-messages.ts';

/**
 * Where the answer goes. With the header `Switchyard-Reply` it goes there, and the reply subject of the message itself is where the publisher waits
 * for an acknowledgement, as `js.publish()` does.
 */
export type ReplyWay =
  | { readonly kind: 'reply'; readonly reply: string; readonly acknowledge?: string; readonly error?: GatewayError }
  | { readonly kind: 'none'; readonly error: GatewayError };

export const replyWay = (message: IncomingMessage): ReplyWay => {
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

/** Tells whoever can be told: the one who waits for the answer, and the publisher who waits for an acknowledgement. */
export const tell = ({ bus, logger }: NatsGatewayParts, way: ReplyWay, requestId: string, error: GatewayError): void => {
  if (way.kind === 'none') {
    logger.warn({ code: error.code }, 'refused a message of somebody who cannot be told');
    return;
  }
  publishRefusal(bus.messenger, way.reply, requestId, error);
  if (way.acknowledge !== undefined) bus.messenger.publish(way.acknowledge, encodeJson(refusedAcknowledgement(error)));
};

/** The tenant stands there. */
export const lastToken = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1);
