import { z } from 'zod';
import { TransientError } from '../errors.ts';
import type { Messenger, Subscription } from '../bus/messenger.ts';
import { requestIdSchema, subjects, tenantSchema, type RequestId, type Tenant } from '../events/index.ts';
import type { StreamerFace } from './host-parts.ts';

/**
 * Tells processes whether another one lives and works on a request. The server knows at once when nobody listens on the subject of a process that died;
 * one that is frozen does not answer in time and counts as working until the deadline of the request.
 */
const questionSchema = z.object({ tenant: tenantSchema, requestId: requestIdSchema });
const answerSchema = z.object({ working: z.boolean() });

const patienceMs = 1_000;

export const serveLiveness = (messenger: Messenger, instance: string, streamer: StreamerFace): Subscription =>
  messenger.subscribe(subjects.host(instance), ({ body, reply }) => {
    if (reply === undefined) return;
    const question = questionSchema.safeParse(parse(body));
    if (!question.success) return;
    try {
      const working = worksOn(streamer, question.data);
      messenger.publish(reply, new TextEncoder().encode(JSON.stringify({ working })));
    } catch (error) {
      // No answer counts as working: a register that cannot be read says nothing.
      if (!(error instanceof TransientError)) throw error;
    }
  });

/** The same question within one process. Throws TransientError when the register cannot be read. */
export const worksOn = (streamer: StreamerFace, request: { readonly tenant: Tenant; readonly requestId: RequestId }): boolean => {
  const reply = streamer.ask({ type: 'working', tenant: request.tenant, requestId: request.requestId });
  return reply.kind === 'working' && reply.working;
};

export const isWorking = async (
  messenger: Messenger,
  instance: string,
  { tenant, requestId }: { readonly tenant: Tenant; readonly requestId: RequestId },
): Promise<boolean> => {
  const asked = await messenger.ask(subjects.host(instance), new TextEncoder().encode(JSON.stringify({ tenant, requestId })), {
    timeoutMs: patienceMs,
  });
  if (asked.kind !== 'answer') return asked.kind === 'timeout';
  const answer = answerSchema.safeParse(parse(asked.body));
  return answer.success && answer.data.working;
};

const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return null;
  }
};
