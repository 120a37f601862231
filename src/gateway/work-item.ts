import type { TakenItem, WorkItem } from '../bus/work-queue.ts';
import { requestIdSchema, subjects, tenantSchema, type RequestId } from '../events/index.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import type { ReadChatBody } from './chat-schema.ts';
import type { GatewayError } from './error-catalogue.ts';
import { headerOf, isReplySubject, natsHeaders } from './nats-headers.ts';

/** One accepted request in the work queue: the body as it came, and around it what the gateway found out. */
export type Work = {
  readonly request: ChatRequest;
  readonly reply: string;
  /** chunks: numbered messages as the answer grows. whole: one message at its end. */
  readonly delivery: 'chunks' | 'whole';
};

const workHeaders = {
  delivery: 'Switchyard-Delivery',
  caching: 'Switchyard-Caching',
  receivedAt: 'Switchyard-Received-At',
} as const;

export const toWorkItem = (work: Work, body: Uint8Array, id: string): WorkItem => ({
  subject: subjects.work(work.request.tenant),
  id,
  body,
  headers: {
    [natsHeaders.requestId]: work.request.requestId,
    [natsHeaders.reply]: work.reply,
    [workHeaders.delivery]: work.delivery,
    [workHeaders.caching]: work.request.caching,
    [workHeaders.receivedAt]: String(work.request.receivedAtMs),
    ...(work.request.conversation === undefined ? {} : { [natsHeaders.conversation]: work.request.conversation }),
    ...(work.request.traceparent === undefined ? {} : { [natsHeaders.traceparent]: work.request.traceparent }),
  },
});

/** Poison names the reply subject and the request when they can be told. */
export type ReadWork =
  | { readonly kind: 'work'; readonly work: Work }
  | {
      readonly kind: 'poison';
      readonly reply: string | undefined;
      readonly requestId: RequestId | undefined;
      readonly error: GatewayError;
    };

export const readWork = (item: TakenItem, readBody: ReadChatBody): ReadWork => {
  const header = (name: string) => headerOf(item.headers, name);
  const givenReply = header(natsHeaders.reply);
  const reply = givenReply !== undefined && isReplySubject(givenReply) ? givenReply : undefined;
  const requestId = requestIdSchema.safeParse(header(natsHeaders.requestId)).data;
  const poison = (error: GatewayError): ReadWork => ({ kind: 'poison', reply, requestId, error });

  const tenant = tenantSchema.safeParse(item.subject.slice(item.subject.lastIndexOf('.') + 1)).data;
  const receivedAtMs = Number(header(workHeaders.receivedAt));
  const caching = header(workHeaders.caching);
  if (reply === undefined) return poison({ code: 'no_reply_subject', message: 'Expected a reply subject beside the queued request.' });
  if (requestId === undefined) return poison({ code: 'invalid_request_id', message: 'Expected a request id beside the queued request.' });
  if (tenant === undefined) return poison({ code: 'unknown_tenant', message: `Expected a tenant as the last token of ${item.subject}.` });
  if (!Number.isSafeInteger(receivedAtMs))
    return poison({ code: 'invalid_request', message: 'Expected a time of arrival beside the queued request.' });
  const body = readBody(item.body);
  if (body.kind === 'refused') return poison(body.error);
  return {
    kind: 'work',
    work: {
      reply,
      delivery: header(workHeaders.delivery) === 'chunks' ? 'chunks' : 'whole',
      request: {
        requestId,
        // Any queued request may be handed out twice: its answer has to be kept for the second time.
        retryable: true,
        tenant,
        model: body.value.model,
        messages: body.value.messages,
        parameters: body.value.parameters,
        streamed: body.value.streamed,
        caching: caching === 'no-store' || caching === 'refresh' ? caching : 'use',
        conversation: header(natsHeaders.conversation),
        receivedAtMs,
        traceparent: header(natsHeaders.traceparent),
      },
    },
  };
};
