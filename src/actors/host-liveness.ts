import { z } from 'zod';
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
    const answer = question.success ? streamer.ask({ type: 'working', ...question.data }) : null;
    messenger.publish(reply, new TextEncoder().encode(JSON.stringify({ working: answer?.kind === 'working' && answer.working })));
  });

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
