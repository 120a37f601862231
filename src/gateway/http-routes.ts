import type { FastifyInstance } from 'fastify';
import { createAcceptChat, createReadTenant } from './accept-chat.ts';
import { chatRoute } from './chat-route.ts';
import { createReceiveFeedback, feedbackBytesMax } from './feedback.ts';
import { sendError, sendJson } from './http-reply.ts';
import { bodyOf, headerText, idempotencyKeyOf } from './http-request.ts';
import type { HttpGatewayParts } from './http-server.ts';
import { listModels } from './model-list.ts';
import { readinessBody } from './readiness.ts';

const routes = new Map([
  ['/v1/chat/completions', 'POST'],
  ['/v1/feedback', 'POST'],
  ['/v1/models', 'GET, HEAD'],
  ['/healthz', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
]);

export const addRoutes = (
  server: FastifyInstance,
  parts: HttpGatewayParts,
  underWay: Set<AbortController>,
  isClosing: () => boolean,
): void => {
  const { config, answering } = parts;
  const accept = createAcceptChat(config);
  server.post(
    '/v1/chat/completions',
    chatRoute({ accept, answering, logger: parts.logger, idleMs: config.requests.idleMs, underWay, isClosing }),
  );

  const models = listModels(config, Date.now());
  server.get('/v1/models', (_request, reply) => {
    sendJson(reply, 200, { object: 'list', data: [...models.values()] });
  });
  server.get<{ Params: { '*': string } }>('/v1/models/*', (request, reply) => {
    const id = request.params['*'];
    const model = models.get(id);
    if (model !== undefined) sendJson(reply, 200, model);
    else
      sendError(
        reply,
        { code: 'model_not_found', param: 'model', message: `Expected an id that GET /v1/models lists, got "${id.slice(0, 128)}".` },
        false,
      );
  });

  const readTenant = createReadTenant(config);
  const receiveFeedback = createReceiveFeedback(parts);
  server.post('/v1/feedback', { bodyLimit: feedbackBytesMax }, async (request, reply) => {
    const tenant = readTenant(headerText(request, 'x-switchyard-tenant'));
    const received = tenant.kind === 'refused' ? tenant : await receiveFeedback(tenant.value, idempotencyKeyOf(request), bodyOf(request));
    if (received.kind === 'refused') sendError(reply, received.error, true);
    else sendJson(reply, 202, received.value);
  });

  server.get('/healthz', (_request, reply) => {
    sendJson(reply, 200, { status: 'alive' });
  });
  server.get('/readyz', async (_request, reply) => {
    const body = readinessBody([...(await parts.readiness()), ...(isClosing() ? [{ part: 'http', ready: false, detail: 'closing' }] : [])]);
    sendJson(reply, body.status === 'ready' ? 200 : 503, body);
  });

  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = path.startsWith('/v1/models/') ? 'GET, HEAD' : routes.get(path);
    if (allowed !== undefined)
      sendError(
        reply.header('allow', allowed),
        { code: 'method_not_allowed', message: `Expected ${allowed}, got ${request.method}.` },
        false,
      );
    else
      sendError(
        reply,
        { code: 'not_found', message: `Expected one of ${[...routes.keys()].join(', ')}; got ${path.slice(0, 128)}.` },
        false,
      );
  });
};
