import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { createMailbox, type Mailbox } from '../bus/mailbox.ts';
import type { Config } from '../config/schema.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { subjects } from '../events/index.ts';
import type { AnswerError, Answering, AnswerPart } from '../requests/answer.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import { originFrom } from './nats-headers.ts';
import { encodeJson, natsMessageSchema, type NatsMessage } from './nats-messages.ts';
import { readNumberedParts, type Arrival } from './numbered-parts.ts';
import { toWorkItem } from './work-item.ts';

/**
 * Answering for a gateway without workers of its own: requests go into the work queue, answers come back on a private subject, in order and
 * numbered.
 *
 * 1. What is handed on is whole or is an error (numbered-parts.ts).
 * 2. When the caller goes, the workers are told, so that the provider is stopped.
 */
export type RemoteAnswering = Answering & { readonly close: () => Promise<void> };

export type RemoteAnsweringParts = {
  readonly config: Config;
  readonly bus: Pick<Bus, 'requests' | 'messenger'>;
  readonly logger: Logger;
};

export const startRemoteAnswering = async ({ config, bus, logger }: RemoteAnsweringParts): Promise<RemoteAnswering> => {
  const inbox = randomUUID();
  const waiting = new Map<string, { readonly request: ChatRequest; readonly mailbox: Mailbox<Arrival> }>();
  let asked = 0;
  const subscription = bus.messenger.subscribe(subjects.reply(inbox, '*'), ({ subject, body, headers }) => {
    const caller = waiting.get(subject.slice(subject.lastIndexOf('.') + 1));
    if (caller === undefined) return;
    const message = readMessage(body);
    if (message === null) logger.error({ requestId: caller.request.requestId }, 'a worker sent a message that is none');
    else caller.mailbox.put({ kind: 'message', message, origin: originFrom(headers, caller.request.requestId) });
  });
  await subscription.ready;
  // The worker keeps the deadline itself; this is for the case that none does.
  const lateAfterMs = config.requests.deadlineMs + config.requests.ackWaitSeconds * 1_000;

  async function* answer(request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerPart, void, undefined> {
    if (waiting.size >= config.requests.concurrency) {
      yield failed(overloaded);
      return;
    }
    const token = String(++asked);
    const reply = subjects.reply(inbox, token);
    const mailbox = createMailbox<Arrival>();
    const gone = () => {
      mailbox.put({ kind: 'gone' });
    };
    waiting.set(token, { request, mailbox });
    const timer = setTimeout(() => {
      mailbox.put({ kind: 'late' });
    }, lateAfterMs);
    signal.addEventListener('abort', gone);
    let isOver = false;
    try {
      const refusal = await put(request, reply);
      isOver = refusal !== null;
      if (refusal !== null) {
        yield failed(refusal);
        return;
      }
      if (signal.aborted) gone();
      for await (const part of readNumberedParts(mailbox, request.streamed)) {
        isOver = part.kind === 'finished' || (part.kind === 'failed' && part.error.code !== 'cancelled');
        yield part;
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
      waiting.delete(token);
      if (!isOver) bus.messenger.publish(subjects.cancel, encodeJson({ request_id: request.requestId, reply }));
    }
  }

  const put = async (request: ChatRequest, reply: string): Promise<AnswerError | null> => {
    const body = encodeJson({ ...request.parameters, model: request.model, messages: request.messages, stream: request.streamed });
    try {
      await bus.requests.put(
        toWorkItem({ request, reply, delivery: 'chunks' }, body, `${request.tenant}:request:${request.requestId}:${reply}`),
      );
      return null;
    } catch (error) {
      if (error instanceof TransientError)
        return {
          code: 'unavailable',
          message: `The queue cannot be reached (${error.code}); try again.`,
          retryAfterMs: error.retryAfterMs,
        };
      if (error instanceof PermanentError && error.code === 'too-large') return { code: 'body_too_large', message: error.message };
      logger.error({ err: error, requestId: request.requestId }, 'a request could not be put into the queue');
      return { code: 'interrupted', message: 'The request could not be queued because of a mistake in the yard.' };
    }
  };

  return { answer, close: () => subscription.close() };
};

const decoder = new TextDecoder();

const readMessage = (body: Uint8Array): NatsMessage | null => {
  try {
    return natsMessageSchema.safeParse(JSON.parse(decoder.decode(body))).data ?? null;
  } catch {
    return null;
  }
};

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const overloaded: AnswerError = {
  code: 'overloaded',
  message: 'Too many requests are waiting for workers in this process; try again.',
  retryAfterMs: 1_000,
};
