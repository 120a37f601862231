import { errorCode, explainError, isTimeout } from '../projections/clickhouse.ts';
import { CommandError, exitCodes, unreachable } from './exit-codes.ts';
import { startHint, type Located } from './locate.ts';
import { printable } from './terminal.ts';

/** What a question to ClickHouse met, as an error that says what to do. What is none of ClickHouse's doing stays as it is. */
export const clickhouseFault = (located: Located, error: unknown): unknown => {
  const code = errorCode(error);
  if (code !== null) {
    const what = printable(explainError(error));
    if (code === tooManyQueries) return unreachable(`ClickHouse is busy (code ${code}): ${what}`, error);
    return new CommandError(exitCodes.usage, `ClickHouse refused (code ${code}): ${what}${raiseHint(located, code)}`, { cause: error });
  }
  const seen = seenInstead(located, error);
  return seen === null ? error : notClickhouse(located, seen, error);
};

/** Nobody answered as long as a query may take. */
export const noAnswerInTime = (located: Located, cause: unknown): CommandError =>
  notClickhouse(located, `no answer within ${patienceOf(located)}`, cause);

const notClickhouse = (located: Located, seen: string, cause: unknown): CommandError =>
  unreachable(`expected ClickHouse at ${located.sql.url} (${located.sql.source}), got ${seen}; ${startHint(located, '--sql-url')}`, cause);

const patienceOf = ({ settings }: Located): string => `${settings.config.clickhouse.queryTimeoutMs} ms (clickhouse.queryTimeoutMs)`;

/** Which limit a query met, and where it is raised. Nothing for a code that is no limit. */
export const raiseHint = ({ settings, sql }: Located, code: number): string => {
  const limit = limits.get(code);
  if (limit === undefined) return '';
  return settings.config.clickhouse.url === sql.url
    ? `; raise ${limit.ofServer} of the user at the server, or ask for less`
    : `; raise ${limit.ofYard} and start the yard again, or ask for less`;
};

/** Numbers and names: src/Common/ErrorCodes.cpp of ClickHouse. The embedded engine has its limits from our configuration, a server has its own. */
const limits: ReadonlyMap<number, { readonly ofYard: string; readonly ofServer: string }> = new Map([
  [159, { ofYard: 'clickhouse.queryTimeoutMs', ofServer: 'max_execution_time' }], // TIMEOUT_EXCEEDED
  [241, { ofYard: 'clickhouse.queryMemoryBytes', ofServer: 'max_memory_usage' }], // MEMORY_LIMIT_EXCEEDED
  [396, { ofYard: 'clickhouse.resultBytes', ofServer: 'max_result_bytes' }], // TOO_MANY_ROWS_OR_BYTES
]);
const tooManyQueries = 202;

/** In place of an answer. Null when the question did not fail on its way. */
const seenInstead = (located: Located, error: unknown): string | null => {
  const patience = patienceOf(located);
  if (isTimeout(error)) return `no answer within ${patience}`;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (!/^E[A-Z]+$/.test(code)) return null;
  if (code === 'ECONNREFUSED') return 'a refused connection';
  // The client gives up an answer that stopped in its middle in the same way.
  if (code === 'ECONNRESET') return `a connection that broke off, or was silent for ${patience}`;
  return code;
};
