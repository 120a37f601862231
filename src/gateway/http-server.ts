import fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import type { Answering } from '../requests/answer.ts';
import { createAcceptChat, createReadTenant } from './accept-chat.ts';
import { chatRoute } from './chat-route.ts';
import { createReceiveFeedback, feedbackBytesMax } from './feedback.ts';
import { answerBrokenConnection, failureHandler } from './http-failures.ts';
import { sendError, sendJson } from './http-reply.ts';
import { bodyOf, headerText, idempotencyKeyOf } from './http-request.ts';
import { listModels } from './model-list.ts';
import { readinessBody, type CheckReadiness } from './readiness.ts';

/**
 * The HTTP face of the yard: OpenAI's chat completions and models, feedback, health. Every answer that is not a success has the shape of
 * docs/errors.md, also for what is not HTTP at all. Bodies are taken as bytes and read once, at the border (accept-chat.ts).
 */
export type HttpGatewayParts = {
  readonly config: Config;
  readonly answering: Answering;
  readonly log: EventLog;
  readonly readiness: CheckReadiness;
  readonly logger: Logger;
  readonly instance: string;
  /** How long answers under way may take to end when the gateway closes; then their callers are cut off. */
  readonly drainMs?: number;
};

export type HttpGateway = {
  /** `http://host:port`, with the port that was taken when the configured one is 0. */
  readonly address: string;
  /** Accepts nothing more, lets what is under way end within `drainMs`, then cuts it off. */
  readonly close: () => Promise<void>;
};

export const startHttpGateway = async (parts: HttpGatewayParts): Promise<HttpGateway> => {
  const { config, logger, drainMs = 10_000 } = parts;
  const underWay = new Set<AbortController>();
  let closing = false;
  const server = createServer(config, logger);
  addRoutes(server, parts, underWay, () => closing);
  const address = await server.listen({ host: config.http.host, port: config.http.port });
  return {
    address,
    close: async () => {
      closing = true;
      const closed = server.close();
      const timer = setTimeout(() => {
        logger.warn({ underWay: underWay.size, drainMs }, 'closing: cutting off what is still under way');
        for (const caller of underWay) caller.abort();
        server.server.closeAllConnections();
      }, drainMs);
      await closed;
      clearTimeout(timer);
    },
  };
};

const createServer = (config: Config, logger: Logger): FastifyInstance => {
  const fail = failureHandler(logger, config.http.bodyLimitBytes);
  const server = fastify({
    logger: false,
    bodyLimit: config.http.bodyLimitBytes,
    requestTimeout: config.requests.deadlineMs,
    // Requests that still come in on open connections get our own error, not the framework's.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: fail,
    clientErrorHandler: answerBrokenConnection,
  });
  server.server.maxConnections = config.http.connections;
  server.server.on('drop', () => {
    logger.warn({ connections: config.http.connections }, 'refused a connection: http.connections are open');
  });
  server.setErrorHandler(fail);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  // Without this a compressed body would be told that it is not UTF-8.
  server.addHook('onRequest', (request, reply, next) => {
    const encoding = headerText(request, 'content-encoding') ?? 'identity';
    if (encoding === 'identity') next();
    else
      sendError(
        reply,
        {
          code: 'unsupported_media_type',
          param: 'content-encoding',
          message: `Expected a body that is not compressed, got "${encoding.slice(0, 40)}".`,
        },
        false,
      );
  });
  return server;
};

const routes = new Map([
  ['/v1/chat/completions', 'POST'],
  ['/v1/feedback', 'POST'],
  ['/v1/models', 'GET, HEAD'],
  ['/healthz', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
]);

const addRoutes = (server: FastifyInstance, parts: HttpGatewayParts, underWay: Set<AbortController>, isClosing: () => boolean): void => {
  const { config, answering } = parts;
  const accept = createAcceptChat(config);
  server.post('/v1/chat/completions', chatRoute({ accept, answering, idleMs: config.requests.idleMs, underWay, isClosing }));

  const models = listModels(config, Date.now());
  server.get('/v1/models', (_request, reply) => sendJson(reply, 200, { object: 'list', data: [...models.values()] }));
  server.get<{ Params: { '*': string } }>('/v1/models/*', (request, reply) => {
    const id = request.params['*'];
    const model = models.get(id);
    return model === undefined
      ? sendError(
          reply,
          {
            code: 'model_not_found',
            param: 'model',
            message: `Expected one of ${[...models.keys()].join(', ').slice(0, 500)}; got "${id}".`,
          },
          false,
        )
      : sendJson(reply, 200, model);
  });

  const readTenant = createReadTenant(config);
  const receiveFeedback = createReceiveFeedback(parts);
  server.post('/v1/feedback', { bodyLimit: feedbackBytesMax }, async (request, reply) => {
    const tenant = readTenant(headerText(request, 'x-switchyard-tenant'));
    if (tenant.kind === 'refused') return sendError(reply, tenant.error, false);
    const received = await receiveFeedback(tenant.value, idempotencyKeyOf(request), bodyOf(request));
    return received.kind === 'refused' ? sendError(reply, received.error, false) : sendJson(reply, 202, received.value);
  });

  server.get('/healthz', (_request, reply) => sendJson(reply, 200, { status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const body = readinessBody([...(await parts.readiness()), ...(isClosing() ? [{ part: 'http', ready: false, detail: 'closing' }] : [])]);
    return sendJson(reply, body.status === 'ready' ? 200 : 503, body);
  });

  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = path.startsWith('/v1/models/') ? 'GET, HEAD' : routes.get(path);
    if (allowed !== undefined)
      return sendError(
        reply.header('allow', allowed),
        { code: 'method_not_allowed', message: `Expected ${allowed}, got ${request.method}.` },
        false,
      );
    return sendError(
      reply,
      { code: 'not_found', message: `Expected one of ${[...routes.keys()].join(', ')}; got ${path.slice(0, 128)}.` },
      false,
    );
  });
};
