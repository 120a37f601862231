import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { questionOf } from './http-question.ts';
import { sqlErrors, type AnswerSql, type SqlAnswer } from './question.ts';

/**
 * The HTTP interface of ClickHouse, as far as clients use it for queries: `GET /ping`, `GET` and `POST /` with the query in the address, in the body or both,
 * `param_<name>`, `database`, `default_format`, settings; answers with `X-ClickHouse-*` headers and errors in ClickHouse's own words and numbers. Users
 * and passwords are accepted and not looked at: the interface listens on loopback and can only read.
 * On loopback a request must name a loopback host: else a web page could point a name of its own at this address and read what the browser is given.
 */
export type SqlInterface = { readonly url: string; readonly close: () => Promise<void> };

export const startSqlInterface = async (options: {
  readonly host: string;
  readonly port: number;
  readonly bodyLimitBytes: number;
  readonly answer: AnswerSql;
}): Promise<SqlInterface> => {
  const server = Fastify({
    bodyLimit: options.bodyLimitBytes,
    http: { maxHeaderSize: longestAddressBytes },
    forceCloseConnections: 'idle',
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  refuseForeignHosts(server, options.host);
  server.get('/ping', (_request, reply) => reply.type('text/plain; charset=UTF-8').send('Ok.\n'));
  server.get('/replicas_status', (_request, reply) => reply.type('text/plain; charset=UTF-8').send('Ok.\n'));
  server.route({ method: ['GET', 'POST'], url: '/', handler: (request, reply) => answerQuery(request, reply, options.answer) });
  server.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('There is no such page here. Queries go to /.\n'));
  server.setErrorHandler((error: { readonly code?: string; readonly message: string }, _request, reply) =>
    error.code === 'FST_ERR_CTP_BODY_TOO_LARGE'
      ? sendError(reply, 413, { ...sqlErrors.queryTooLarge, message: `expected a query of at most ${options.bodyLimitBytes} bytes` })
      : sendError(reply, 500, { ...sqlErrors.internal, message: error.message }),
  );
  await server.listen({ host: options.host, port: options.port });
  const { port } = server.server.address() as AddressInfo;
  return { url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`, close: () => server.close() };
};

/** Parameters travel in the address, and clients send long lists in them. */
const longestAddressBytes = 1024 ** 2;

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
const loopbackAddress = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

const refuseForeignHosts = (server: FastifyInstance, host: string) => {
  if (!loopbackAddress.test(host)) return;
  server.addHook('onRequest', async (request, reply) => {
    if (loopback.test(request.headers.host ?? '')) return;
    await sendError(reply, 403, { ...sqlErrors.readOnly, message: 'expected a Host header that names this machine, such as 127.0.0.1' });
  });
};

const answerQuery = async (request: FastifyRequest, reply: FastifyReply, answer: AnswerSql): Promise<FastifyReply> => {
  const asked = questionOf(request);
  if (asked.kind === 'greeting') return reply.type('text/plain; charset=UTF-8').send('Ok.\n');
  if (asked.kind === 'refused') return sendError(reply, 400, { ...sqlErrors.badRequest, message: asked.reason });
  void reply.header('x-clickhouse-query-id', asked.queryId ?? randomUUID());
  const answered = await answer(asked.question);
  switch (answered.kind) {
    case 'busy':
      void reply.header('retry-after', String(answered.retryAfterSeconds));
      return sendError(reply, 503, { ...sqlErrors.tooManyQueries, message: 'too many queries are under way; ask again in a moment' });
    case 'error':
      return sendError(reply, statusOf(answered.code), answered);
    case 'result':
      return sendResult(reply, answered);
  }
};

const sendResult = (reply: FastifyReply, result: Extract<SqlAnswer, { kind: 'result' }>): FastifyReply =>
  reply
    .headers({
      'content-type': contentTypeOf(result.format),
      'x-clickhouse-format': result.format,
      'x-clickhouse-timezone': 'UTC',
      'x-clickhouse-server-display-name': 'switchyard',
      'x-clickhouse-summary': JSON.stringify({
        read_rows: String(result.rowsRead),
        read_bytes: String(result.bytesRead),
        written_rows: '0',
        written_bytes: '0',
        total_rows_to_read: '0',
        result_rows: '0',
        result_bytes: String(result.body.length),
        elapsed_ns: String(result.elapsedNs),
      }),
    })
    .send(Buffer.from(result.body.buffer, result.body.byteOffset, result.body.byteLength));

const sendError = (
  reply: FastifyReply,
  status: number,
  { code, name, message }: { readonly code: number; readonly name: string; readonly message: string },
): FastifyReply =>
  reply
    .code(status)
    .headers({ 'content-type': 'text/plain; charset=UTF-8', 'x-clickhouse-exception-code': String(code) })
    .send(`Code: ${code}. DB::Exception: ${message} (${name})\n`);

const statuses: Readonly<Record<number, number>> = { 164: 403, 46: 404, 47: 404, 60: 404, 81: 404, 159: 408, 241: 507, 1002: 500 };
const statusOf = (code: number): number => statuses[code] ?? 400;

const contentTypeOf = (format: string): string => {
  if (/^JSON.*EachRow/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (format.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (format.startsWith('CSV')) return 'text/csv; charset=UTF-8';
  if (/^(?:TSV|TabSeparated)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(?:Parquet|Arrow|ORC|Native|RowBinary|Avro|MsgPack|BSON|Npy)/.test(format)) return 'application/octet-stream';
  return 'text/plain; charset=UTF-8';
};
