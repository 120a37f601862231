import fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import type { Answering } from '../requests/answer.ts';
import { answerBrokenConnection, failureHandler } from './http-failures.ts';
import { sendError } from './http-reply.ts';
import { headerText } from './http-request.ts';
import { addRoutes } from './http-routes.ts';
import type { CheckReadiness } from './readiness.ts';

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
  /** How often connections are looked at whose request does not arrive; Node's own is 30 s. */
  readonly connectionsCheckMs?: number;
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
  const server = createServer(parts);
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

const createServer = ({ config, logger, connectionsCheckMs = 5_000 }: HttpGatewayParts): FastifyInstance => {
  const fail = failureHandler(logger);
  const server = fastify({
    logger: false,
    bodyLimit: config.http.bodyLimitBytes,
    requestTimeout: config.requests.deadlineMs,
    http: { connectionsCheckingInterval: connectionsCheckMs },
    // Requests that still come in on open connections get our own error, not the framework's.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: fail,
    clientErrorHandler: answerBrokenConnection,
  });
  // Node swaps the two timeouts when that for the headers is the longer one (60 s unless told otherwise).
  server.server.headersTimeout = Math.min(config.requests.deadlineMs, 60_000);
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
