import type { FastifyRequest } from 'fastify';
import type { Envelope } from './accept-chat.ts';

/** What a request says around its body. An idempotency key is the caller's own word, while proxies like to set `x-request-id`: the key wins. */
export const envelopeOf = (request: FastifyRequest): Envelope => ({
  tenant: headerText(request, 'x-switchyard-tenant'),
  requestId: idempotencyKeyOf(request) ?? headerText(request, 'x-request-id'),
  conversation: headerText(request, 'x-switchyard-conversation'),
  cacheControl: headerText(request, 'cache-control'),
  traceparent: headerText(request, 'traceparent'),
  receivedAtMs: Date.now(),
});

/** The draft standard writes the key in quotes. */
export const idempotencyKeyOf = (request: FastifyRequest): string | undefined =>
  headerText(request, 'idempotency-key')?.replace(/^"(.*)"$/, '$1');

export const headerText = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const empty = new Uint8Array();

export const bodyOf = (request: FastifyRequest): Uint8Array => (request.body instanceof Uint8Array ? request.body : empty);
