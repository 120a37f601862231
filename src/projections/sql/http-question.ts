import type { FastifyRequest } from 'fastify';
import type { SqlQuestion } from './question.ts';

/** Reads a request to the HTTP interface. */
export type Asked =
  | { readonly kind: 'question'; readonly question: SqlQuestion; readonly queryId: string | null }
  /** `GET /` without a query is how some clients ask whether anybody is there. */
  | { readonly kind: 'greeting' }
  | { readonly kind: 'refused'; readonly reason: string };

export const questionOf = (request: FastifyRequest): Asked => {
  const { headers } = request;
  if (headers['content-type']?.startsWith('multipart/') === true)
    return refused('expected the query as text, got a form; external tables cannot be sent');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return refused(`expected a plain body, got one in ${encoding}`);
  const body = textOf(request.body);
  if (body === null) return refused('expected the query in UTF-8');

  const address = new URL(request.url, 'http://address');
  const parameters: Record<string, string> = {};
  const settings: Record<string, string> = {};
  const known: Partial<Record<(typeof ownNames)[number], string>> = {};
  for (const [name, value] of address.searchParams) {
    if (name.startsWith('param_')) parameters[name.slice('param_'.length)] = value;
    else if (isOwn(name)) known[name] = value;
    else settings[name] = value;
  }
  const badName = [...Object.keys(parameters), ...Object.keys(settings)].find((name) => !/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name));
  if (badName !== undefined) return refused(`expected names of letters, digits and "_" in the address, got "${badName.slice(0, 80)}"`);

  // As in ClickHouse: what stands in the address comes first, the body after it.
  const sql = [known.query, body].filter((part) => part !== undefined && part !== '').join('\n');
  if (sql.trim() === '') return request.method === 'GET' ? { kind: 'greeting' } : refused('expected a query in the body or in ?query=');
  const format = known.default_format ?? headerOf(headers['x-clickhouse-format']) ?? 'TabSeparated';
  if (!/^[A-Za-z][A-Za-z0-9]{0,63}$/.test(format)) return refused(`expected the name of a format, got "${format.slice(0, 80)}"`);
  return {
    kind: 'question',
    queryId: /^[\w.:-]{1,128}$/.test(known.query_id ?? '') ? (known.query_id ?? null) : null,
    question: {
      sql,
      parameters,
      settings,
      defaultFormat: format,
      database: known.database ?? headerOf(headers['x-clickhouse-database']) ?? null,
    },
  };
};

const ownNames = ['query', 'database', 'default_format', 'query_id'] as const;
const isOwn = (name: string): name is (typeof ownNames)[number] => (ownNames as readonly string[]).includes(name);

const refused = (reason: string): Asked => ({ kind: 'refused', reason });

const headerOf = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header);

const decoder = new TextDecoder('utf-8', { fatal: true });

const textOf = (body: unknown): string | null => {
  if (body === undefined || body === null) return '';
  if (!Buffer.isBuffer(body)) return null;
  try {
    return decoder.decode(body);
  } catch {
    return null;
  }
};
