import type { FastifyReply } from 'fastify';
import { errorCatalogue, type GatewayError } from './error-catalogue.ts';
import { errorBody, errorHeaders } from './http-error.ts';

export const sendJson = (reply: FastifyReply, status: number, body: unknown): void => {
  reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
};

export const sendError = (reply: FastifyReply, error: GatewayError, callerChoseId: boolean): void => {
  sendJson(reply.headers(errorHeaders(error, callerChoseId)), errorCatalogue[error.code].status, errorBody(error));
};
