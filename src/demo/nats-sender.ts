import { setTimeout as sleep } from 'node:timers/promises';
import { connect, headers } from '@nats-io/transport-node';
import { z } from 'zod';
import { subjects, tenantSchema } from '../events/index.ts';
import { untilItStands, type Attempt, type DemoRequest, type Sender } from './sender.ts';

/** Requests over NATS, as a client would write it that knows nothing of the yard but docs: published for the tenant, answered on the reply inbox with one message. */
const subject = subjects.request(tenantSchema.parse('default'));
const requestIdHeader = 'Switchyard-Request-Id';
const replySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('final'), cache: z.string() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), retry_after_ms: z.number().optional() }),
]);
const answerTimeoutMs = 120_000;
const pauseMs = 200;

export const openNatsSender = async (natsUrl: string): Promise<Sender> => {
  const nc = await connect({ servers: natsUrl, name: 'switchyard demo', noAsyncTraces: true });

  const attempt = async ({ id, prompt }: DemoRequest): Promise<Attempt> => {
    const named = headers();
    named.set(requestIdHeader, id);
    const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: prompt }] });
    try {
      const reply = await nc.request(subject, body, { timeout: answerTimeoutMs, headers: named });
      const message = replySchema.parse(reply.json());
      if (message.type === 'final') return { kind: 'answered', fromCache: message.cache === 'hit' };
      const { code, message: text, retry_after_ms: afterMs } = message;
      return afterMs === undefined ? { kind: 'failed', code, message: text } : { kind: 'again', afterMs, code, message: text };
    } catch (error) {
      return { kind: 'again', afterMs: pauseMs, code: 'unreachable', message: error instanceof Error ? error.message : String(error) };
    }
  };

  return { send: (request) => untilItStands(() => attempt(request), sleep), close: () => nc.close() };
};
