import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { createMailbox, type Mailbox } from '../bus/mailbox.ts';
import type { Config } from '../config/schema.ts';
import { PermanentError, TransientError } from '../errors.ts';
import { subjects } from '../events/index.ts';
import type { AnswerError, AnswerErrorCode, Answering, AnswerOrigin, AnswerPart } from '../requests/answer.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import { originFrom } from './nats-headers.ts';
import { encodeJson, natsMessageSchema, type NatsMessage } from './nats-messages.ts';
import { toWorkItem } from './work-item.ts';

/**
 * Answering for a gateway without workers of its own: requests go into the work queue, answers come back on a private subject, in order and
 * numbered.
 *
 * 1. A gap in the numbers ends the answer as truncated: what is handed on is whole or is an error.
 * 2. When a worker dies in the middle, the next attempt begins anew. It is handed on only if nothing was handed on before.
 * 3. When the caller goes, the workers are told, so that the provider is stopped.
 */
export type RemoteAnswering = Answering & { readonly close: () => Promise<void> };

export type RemoteAnsweringParts = {
  readonly config: Config;
  readonly bus: Pick<Bus, 'requests' | 'messenger'>;
  readonly logger: Logger;
};

type Arrival = { readonly message: NatsMessage; readonly origin: AnswerOrigin | null };
type Signal = Arrival | 'gone' | 'late';

export const startRemoteAnswering = async ({ config, bus, logger }: RemoteAnsweringParts): Promise<RemoteAnswering> => {
  const inbox = randomUUID();
  const waiting = new Map<string, { readonly request: ChatRequest; readonly mailbox: Mailbox<Signal> }>();
  let asked = 0;
  const subscription = bus.messenger.subscribe(subjects.reply(inbox, '*'), ({ subject, body, headers }) => {
    const caller = waiting.get(subject.slice(subject.lastIndexOf('.') + 1));
    if (caller === undefined) return;
    const message = readMessage(body);
    if (message === null) logger.error({ requestId: caller.request.requestId }, 'a worker sent a message that is none');
    else caller.mailbox.put({ message, origin: originFrom(headers, caller.request.requestId) });
  });
  await subscription.ready;
  // The worker keeps the deadline itself; this is for the case that none does.
  const lateAfterMs = config.requests.deadlineMs + config.requests.ackWaitSeconds * 1_000;

  async function* answer(request: ChatRequest, signal: AbortSignal): AsyncGenerator<AnswerPart> {
    if (waiting.size >= config.requests.concurrency) return yield failed(overloaded);
    const token = String(++asked);
    const reply = subjects.reply(inbox, token);
    const mailbox = createMailbox<Signal>();
    const gone = () => {
      mailbox.put('gone');
    };
    waiting.set(token, { request, mailbox });
    const timer = setTimeout(() => {
      mailbox.put('late');
    }, lateAfterMs);
    signal.addEventListener('abort', gone);
    let isOver = false;
    try {
      const refusal = await put(request, reply);
      isOver = refusal !== null;
      if (refusal !== null) return yield failed(refusal);
      if (signal.aborted) gone();
      for await (const part of readParts(mailbox)) {
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

async function* readParts(mailbox: Mailbox<Signal>): AsyncGenerator<AnswerPart> {
  let attempt = 1;
  let expected = 1;
  let begun = false;
  for (;;) {
    for (const arrival of await mailbox.take()) {
      if (arrival === 'gone') return yield failed({ code: 'cancelled', message: 'The caller went away.' });
      if (arrival === 'late') return yield failed({ code: 'interrupted', message: 'No worker answered within the deadline.' });
      const { message, origin } = arrival;
      if (message.type === 'accepted' || message.attempt < attempt) continue;
      if (message.attempt > attempt) {
        if (begun) return yield failed(interrupted);
        attempt = message.attempt;
        expected = 1;
      }
      if (message.seq !== expected++) return yield failed(gap(expected - 1, message.seq));
      if (message.type === 'error') return yield failed(errorFrom(message));
      if (!begun) {
        if (origin === null) return yield failed({ code: 'interrupted', message: 'A worker sent an answer that names no arm.' });
        begun = true;
        yield { kind: 'started', ...origin };
      }
      if (message.type === 'chunk') {
        yield { kind: 'delta', text: message.text, ...(message.tool_calls === undefined ? {} : { toolCalls: message.tool_calls }) };
        continue;
      }
      const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = message.usage;
      return yield {
        kind: 'finished',
        finishReason: message.finish_reason,
        usage: { promptTokens, completionTokens },
        costNanoUsd: message.cost_nano_usd,
        repeated: message.repeated,
      };
    }
  }
}

const decoder = new TextDecoder();

const readMessage = (body: Uint8Array): NatsMessage | null => {
  try {
    return natsMessageSchema.safeParse(JSON.parse(decoder.decode(body))).data ?? null;
  } catch {
    return null;
  }
};

/** A worker's own refusals (poison) are not codes of an answer: whoever queued the request had checked it. */
const errorFrom = ({ code, message, retry_after_ms: retryAfterMs }: Extract<NatsMessage, { type: 'error' }>): AnswerError => ({
  code: code as AnswerErrorCode,
  message,
  retryAfterMs,
});

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const overloaded: AnswerError = {
  code: 'overloaded',
  message: 'Too many requests are waiting for workers in this process; try again.',
  retryAfterMs: 1_000,
};

const interrupted: AnswerError = {
  code: 'interrupted',
  message: 'The worker was replaced in the middle of the answer; ask again with the same request id to get all of it.',
};

const gap = (expected: number, seen: number): AnswerError => ({
  code: 'answer_truncated',
  message: `Part of the answer was lost on the way (expected message ${expected}, got ${seen}); ask again with the same request id to get all of it.`,
});
