import { errors, RequestError, type Msg } from '@nats-io/transport-node';
import type { IncomingMessage, Messenger, Subscription } from '../messenger.ts';
import { pauseOrConnect } from './connection.ts';
import { asBusError, disconnected, tooLarge } from './failures.ts';
import { fromHeaders, toHeaders } from './headers.ts';
import type { Link } from './link.ts';

/**
 * Core NATS. What is published without a connection is dropped, counted and reported: the client library would keep an unknown part of it
 * and lose the rest in silence.
 */
const retryMs = 50;
const noHeaders = {};

export const createMessenger = (link: Link): Messenger => {
  const { nc, state, logger } = link;
  let dropped = 0;
  state.onStatus((status) => {
    if (status.kind === 'connected' && dropped > 0)
      logger.warn({ messages: dropped }, 'messages were dropped while there was no connection');
    dropped = 0;
  });

  const publish: Messenger['publish'] = (subject, body, headers) => {
    if (state.status().kind !== 'connected') {
      dropped++;
      return;
    }
    if (body.length > link.maxPayloadBytes()) throw tooLarge(`a message to ${subject}`, body.length, link.maxPayloadBytes());
    try {
      nc.publish(subject, body, headers === undefined ? {} : { headers: toHeaders(headers) });
    } catch (error) {
      throw asBusError(error, `a message to ${subject}`);
    }
  };

  const ask: Messenger['ask'] = async (subject, body, { timeoutMs }) => {
    if (state.status().kind !== 'connected') throw disconnected();
    try {
      const answer = await nc.request(subject, body, { timeout: timeoutMs });
      return { kind: 'answer', body: answer.data, headers: fromHeaders(answer.headers) };
    } catch (error) {
      if (error instanceof errors.TimeoutError) return { kind: 'timeout' };
      if (error instanceof RequestError && error.isNoResponders()) return { kind: 'no-responder' };
      throw asBusError(error, `a question to ${subject}`);
    }
  };

  const subscribe = (subject: string, handler: (message: IncomingMessage) => void, queue: string | undefined): Subscription => {
    const subscription = nc.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        // A throw in here would end the reader of the whole connection.
        try {
          if (error === null) handler(incoming(message));
          else logger.error({ err: error, subject }, 'a subscription was refused');
        } catch (thrown) {
          logger.error({ err: thrown, subject }, 'a message handler threw');
        }
      },
    });
    const known = async () => {
      // The client library subscribes again by itself after a reconnect; a flush that was cut off says nothing about it.
      while (!nc.isClosed() && !subscription.isClosed()) {
        const flushed = await nc.flush().then(
          () => true,
          () => false,
        );
        if (flushed) return;
        await pauseOrConnect(state, retryMs);
      }
    };
    return {
      ready: known(),
      close: async () => {
        if (nc.isClosed() || subscription.isClosed()) return;
        if (state.status().kind === 'connected') await subscription.drain();
        else subscription.unsubscribe();
      },
    };
  };

  return {
    publish,
    ask,
    flush: async () => {
      if (state.status().kind !== 'connected') throw disconnected();
      await nc.flush().catch((error: unknown) => {
        throw asBusError(error, 'a flush');
      });
    },
    subscribe: (subject, handler, options) => subscribe(subject, handler, options?.queue),
  };
};

const incoming = (message: Msg): IncomingMessage => ({
  subject: message.subject,
  headers: message.headers === undefined ? noHeaders : fromHeaders(message.headers),
  body: message.data,
  reply: message.reply === undefined || message.reply === '' ? undefined : message.reply,
  messageId: message.headers?.has('Nats-Msg-Id') === true ? message.headers.get('Nats-Msg-Id') : undefined,
});
