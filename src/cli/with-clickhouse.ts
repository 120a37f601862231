import { errorCode, explainError, readClickhouse, type Clickhouse } from '../projections/clickhouse.ts';
import { PermanentError } from '../errors.ts';
import { CommandError, exitCodes, unreachable } from './exit-codes.ts';
import { startHint, type Located } from './locate.ts';
import { printable } from './terminal.ts';

/** For work that reads ClickHouse through its port. Nobody there, and what ClickHouse refuses, are errors that say what to do. */
export const withClickhouse = async <Result>(located: Located, work: (clickhouse: Clickhouse) => Promise<Result>): Promise<Result> => {
  const { sql } = located;
  const clickhouse = clickhouseOf(located);
  try {
    return await work(clickhouse);
  } catch (error) {
    if (error instanceof CommandError || error instanceof PermanentError) throw error;
    const code = errorCode(error);
    if (code !== null)
      throw new CommandError(exitCodes.usage, `ClickHouse refused (code ${code}): ${printable(explainError(error))}`, { cause: error });
    const reason = systemCodeOf(error);
    if (reason === null) throw error;
    const seen = reason === 'ECONNREFUSED' ? 'a refused connection' : reason;
    throw unreachable(`expected ClickHouse at ${sql.url} (${sql.source}), got ${seen}; ${startHint(located, '--sql-url')}`, error);
  } finally {
    await clickhouse.close();
  }
};

/** Connects at the first query. */
export const clickhouseOf = ({ settings, sql }: Located): Clickhouse => {
  const { database, user, queryTimeoutMs } = settings.config.clickhouse;
  return readClickhouse(
    { kind: 'server', url: sql.url, database, user, password: settings.secrets.clickhousePassword },
    { requestTimeoutMs: queryTimeoutMs },
  );
};

/** What the socket said. */
const systemCodeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code) && 'syscall' in error
    ? error.code
    : null;
