import type { IncomingMessage } from '../bus/messenger.ts';
import { createReadTenant } from './accept-chat.ts';
import { buryInput } from './dead-letter.ts';
import { createReceiveFeedback } from './feedback.ts';
import type { Counts, NatsGatewayParts } from './nats-gateway.ts';
import { encodeJson } from './nats-messages.ts';
import { lastToken, replyWay, tell } from './nats-reply.ts';

/** A judgement on `switchyard.feedback.<tenant>`. With a reply subject its sender is told; a bad one without becomes a dead letter. */
export const receiveFeedbackMessage = (parts: NatsGatewayParts, counts: Counts) => {
  const { config, bus, logger } = parts;
  const readTenant = createReadTenant(config);
  const receive = createReceiveFeedback({ log: bus.log, instance: parts.instance });
  return async (message: IncomingMessage): Promise<void> => {
    const tenant = readTenant(lastToken(message.subject));
    const received = tenant.kind === 'refused' ? tenant : await receive(tenant.value, message.messageId, message.body);
    const way = replyWay(message);
    if (received.kind === 'read') {
      counts.accepted++;
      if (way.kind === 'reply') bus.messenger.publish(way.reply, encodeJson({ type: 'feedback', ...received.value }));
      return;
    }
    counts.refused++;
    if (way.kind === 'reply') {
      tell(parts, way, '', received.error);
      return;
    }
    if (await buryInput({ dead: bus.dead, logger }, message, received.error)) counts.buried++;
  };
};
