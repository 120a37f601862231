import { setTimeout as sleep } from 'node:timers/promises';
import { connect, headers } from '@nats-io/transport-node';
import { subjects, tenantSchema } from '../events/index.ts';
import { natsHeaders } from '../gateway/nats-headers.ts';
import { encodeJson, natsMessageSchema } from '../gateway/nats-messages.ts';
import { untilItStands, type Attempt, type DemoRequest, type Sender } from './sender.ts';

/** Requests over NATS: published for the tenant, answered on the reply inbox with one message, since no stream is asked for. */
const subject = subjects.request(tenantSchema.parse('default'));
const answerTimeoutMs = 120_000;
const pauseMs = 200;

export const openNatsSender = async (natsUrl: string): Promise<Sender> => {
  const nc = await connect({ servers: natsUrl, name: 'switchyard demo', noAsyncTraces: true });

  const attempt = async ({ id, prompt }: DemoRequest): Promise<Attempt> => {
    const named = headers();
    named.set(natsHeaders.requestId, id);
    const body = encodeJson({ model: 'auto', messages: [{ role: 'user', content: prompt }] });
    try {
      const reply = await nc.request(subject, body, { timeout: answerTimeoutMs, headers: named });
      const message = natsMessageSchema.parse(reply.json());
      switch (message.type) {
        case 'final':
          return { kind: 'answered', fromCache: message.cache === 'hit' };
        case 'error': {
          const { code, message: text, retry_after_ms: afterMs } = message;
          return afterMs === undefined ? { kind: 'failed', code, message: text } : { kind: 'again', afterMs, code, message: text };
        }
        case 'accepted':
        case 'chunk':
          return { kind: 'failed', code: 'unexpected', message: `expected one final message, got ${message.type}` };
      }
    } catch (error) {
      return { kind: 'again', afterMs: pauseMs, code: 'unreachable', message: error instanceof Error ? error.message : String(error) };
    }
  };

  return { send: (request) => untilItStands(() => attempt(request), sleep), close: () => nc.close() };
};
