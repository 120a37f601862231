import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { IncomingMessage } from '../bus/messenger.ts';
import type { Config } from '../config/schema.ts';
import { subjects } from '../events/index.ts';
import { newRequestId } from './accept-chat.ts';
import type { GatewayError } from './error-catalogue.ts';
import { receiveFeedbackMessage } from './nats-feedback.ts';
import { receiveRequestMessage } from './nats-request.ts';
import { replyWay, tell } from './nats-reply.ts';

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

/** Counted up by the receivers; `buried` are the letters that were stored. */
export type Counts = { accepted: number; refused: number; buried: number };

/** Members of one group share the requests: each goes to one gateway. */
const queue = 'switchyard-gateways';

export const startNatsGateway = async (parts: NatsGatewayParts): Promise<NatsGateway> => {
  const { bus, logger, drainMs = 10_000 } = parts;
  const counts = { accepted: 0, refused: 0, buried: 0, underWay: 0 };
  const receiveRequest = receiveRequestMessage(parts, counts);
  const receiveFeedback = receiveFeedbackMessage(parts, counts);

  const bounded = (receive: (message: IncomingMessage) => Promise<void>) => (message: IncomingMessage) => {
    if (counts.underWay >= parts.config.requests.concurrency) {
      counts.refused++;
      tell(parts, replyWay(message), newRequestId(), overloaded);
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

const overloaded: GatewayError = {
  code: 'overloaded',
  message: 'Too many requests are being queued by this gateway; try again.',
  retryAfterMs: 1_000,
};
