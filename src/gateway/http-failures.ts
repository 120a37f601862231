import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { newRequestId } from './accept-chat.ts';
import { errorCatalogue, type GatewayError } from './error-catalogue.ts';
import { errorBody } from './http-error.ts';
import { sendError } from './http-reply.ts';

/** What goes wrong before a route is reached, in the shape of all other errors. Told apart by code. */
export const failureHandler =
  (logger: Logger) =>
  (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const failure = failureOf(error, request);
    const requestId = reply.getHeader('x-request-id') ?? newRequestId();
    if (failure.code === 'internal') logger.error({ err: error, requestId, route: request.routeOptions.url }, 'a request failed inside');
    sendError(reply.header('x-request-id', requestId), failure, false);
  };

const failureOf = (error: unknown, request: FastifyRequest): GatewayError => {
  const { code = '', statusCode = 500 } = isFastifyError(error) ? error : {};
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { code: 'body_too_large', message: `Expected at most ${request.routeOptions.bodyLimit} bytes, got more.` };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
      return {
        code: 'unsupported_media_type',
        param: 'content-type',
        message: `Expected the content type application/json, got ${JSON.stringify(request.headers['content-type'] ?? 'none').slice(0, 80)}.`,
      };
  }
  if (statusCode >= 400 && statusCode < 500) return { code: 'malformed_http', message: 'Expected a well-formed HTTP request.' };
  return { code: 'internal', message: 'The request could not be handled because of a mistake in the yard.' };
};

const isFastifyError = (error: unknown): error is Pick<FastifyError, 'code' | 'statusCode'> =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';

/** Bytes that never became a request: there is no reply object, only the socket. */
export const answerBrokenConnection = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const failure = brokenConnections[error.code ?? ''] ?? { code: 'malformed_http', message: 'Expected an HTTP/1.1 request.' };
  const body = JSON.stringify(errorBody(failure));
  socket.end(
    `HTTP/1.1 ${errorCatalogue[failure.code].status} ${failure.code}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};

const brokenConnections: Readonly<Record<string, GatewayError>> = {
  HPE_HEADER_OVERFLOW: { code: 'headers_too_large', message: 'Expected at most 16 KiB of header fields, got more.' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request_timeout', message: 'Expected the whole request sooner.' },
};
