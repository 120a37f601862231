import type { FastifyReply } from 'fastify';
import { newRequestId } from './accept-chat.ts';
import { errorCatalogue, type GatewayError } from './error-catalogue.ts';
import { errorBody, errorHeaders } from './http-error.ts';

export const sendJson = (reply: FastifyReply, status: number, body: unknown): void => {
  reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
};

/** Every error names its request, a new one when none was made out: the log of the process has it too. */
export const sendError = (reply: FastifyReply, error: GatewayError, callerChoseId: boolean): void => {
  if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', newRequestId());
  sendJson(reply.headers(errorHeaders(error, callerChoseId)), errorCatalogue[error.code].status, errorBody(error));
};
