import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { requestIdSchema, tenantSchema, type RequestId, type Tenant } from '../events/index.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import { conversationSchema, createReadChatBody } from './chat-schema.ts';
import type { GatewayError } from './error-catalogue.ts';
import { refuse, type Read } from './json-border.ts';

/** What stands around a body, whichever way it came. */
export type Envelope = {
  readonly tenant: string | undefined;
  readonly requestId: string | undefined;
  readonly conversation: string | undefined;
  readonly cacheControl: string | undefined;
  readonly traceparent: string | undefined;
  readonly receivedAtMs: number;
};

/** A refusal names the request too: the id that was given when it is a valid one, else a new one. */
export type Accepted =
  | { readonly kind: 'accepted'; readonly request: ChatRequest; readonly includeUsage: boolean }
  | { readonly kind: 'refused'; readonly requestId: RequestId; readonly error: GatewayError };

export type AcceptChat = (envelope: Envelope, body: Uint8Array) => Accepted;

/** The border of chat requests: behind it a request is valid, within the limits, and has a tenant and an id. */
export const createAcceptChat = (config: Config): AcceptChat => {
  const readBody = createReadChatBody(config.requests, modelNames(config));
  const readTenant = createReadTenant(config);
  return (envelope, bytes) => {
    const given = readRequestId(envelope.requestId);
    const refused = (error: GatewayError): Accepted => ({ kind: 'refused', error, requestId: idOrNew(given) });
    if (given.kind === 'refused') return refused(given.error);
    const tenant = readTenant(envelope.tenant);
    if (tenant.kind === 'refused') return refused(tenant.error);
    const conversation = readConversation(envelope.conversation);
    if (conversation.kind === 'refused') return refused(conversation.error);
    const body = readBody(bytes);
    if (body.kind === 'refused') return refused(body.error);
    const id = given.value === undefined ? readRequestId(body.value.requestId) : given;
    if (id.kind === 'refused') return refused(id.error);
    return {
      kind: 'accepted',
      includeUsage: body.value.includeUsage,
      request: {
        requestId: idOrNew(id),
        retryable: id.value !== undefined,
        tenant: tenant.value,
        model: body.value.model,
        messages: body.value.messages,
        parameters: body.value.parameters,
        streamed: body.value.streamed,
        caching: readCaching(envelope.cacheControl),
        conversation: conversation.value ?? body.value.conversation,
        receivedAtMs: envelope.receivedAtMs,
        traceparent: readTraceparent(envelope.traceparent),
      },
    };
  };
};

export const modelNames = (config: Config): ReadonlySet<string> => new Set([...config.models, ...config.arms].map(({ id }) => id));

/** Without a name: the first tenant of the configuration. */
export const createReadTenant = (config: Config): ((name: string | undefined) => Read<Tenant>) => {
  const known = new Set<string>(config.tenants.map(({ id }) => id));
  return (name) => {
    const tenant = tenantSchema.safeParse(name ?? config.tenants[0]?.id);
    return tenant.success && known.has(tenant.data)
      ? { kind: 'read', value: tenant.data }
      : refuse({ code: 'unknown_tenant', message: `Expected a tenant of the configuration, got "${String(name).slice(0, 64)}".` });
  };
};

const readRequestId = (id: string | undefined): Read<RequestId | undefined> => {
  if (id === undefined) return { kind: 'read', value: undefined };
  const parsed = requestIdSchema.safeParse(id);
  if (parsed.success) return { kind: 'read', value: parsed.data };
  const expected = parsed.error.issues[0]?.message ?? 'expected a request id';
  return refuse({ code: 'invalid_request_id', message: `The request id: ${expected}; got "${id.slice(0, 64)}".` });
};

const readConversation = (name: string | undefined): Read<string | undefined> => {
  if (name === undefined) return { kind: 'read', value: undefined };
  const parsed = conversationSchema.safeParse(name);
  if (parsed.success) return { kind: 'read', value: parsed.data };
  const expected = parsed.error.issues[0]?.message ?? 'expected a name';
  return refuse({
    code: 'invalid_request',
    message: `The header of the conversation: ${expected}, got ${JSON.stringify(name.slice(0, 64))}.`,
  });
};

export const newRequestId = (): RequestId => randomUUID() as string as RequestId;

const idOrNew = (id: Read<RequestId | undefined>): RequestId => (id.kind === 'read' ? id.value : undefined) ?? newRequestId();

/** As HTTP means it: no-store keeps nothing, no-cache asks anew and keeps the new answer. */
const readCaching = (cacheControl: string | undefined): ChatRequest['caching'] => {
  if (cacheControl === undefined) return 'use';
  const directives = cacheControl.toLowerCase();
  if (directives.includes('no-store')) return 'no-store';
  return directives.includes('no-cache') ? 'refresh' : 'use';
};

const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** One that is malformed is left out, as W3C Trace Context asks. */
const readTraceparent = (traceparent: string | undefined): string | undefined =>
  traceparent !== undefined && traceparentForm.test(traceparent) ? traceparent : undefined;
