import { readClickhouse, type Clickhouse } from '../projections/clickhouse.ts';
import { clickhouseFault } from './clickhouse-faults.ts';
import type { Located } from './locate.ts';

/** For work that reads ClickHouse through its port. */
export const withClickhouse = async <Result>(located: Located, work: (clickhouse: Clickhouse) => Promise<Result>): Promise<Result> => {
  const clickhouse = clickhouseOf(located);
  try {
    return await work(clickhouse);
  } finally {
    await clickhouse.close();
  }
};

/** Connects at the first query. Nobody there, no answer in time and what ClickHouse refuses are errors that say what to do, whatever asks. */
export const clickhouseOf = (located: Located): Clickhouse => {
  const { settings, sql } = located;
  const { database, user, queryTimeoutMs } = settings.config.clickhouse;
  const clickhouse = readClickhouse(
    { kind: 'server', url: sql.url, database, user, password: settings.secrets.clickhousePassword },
    { requestTimeoutMs: queryTimeoutMs },
  );
  const inWords =
    <Asked extends readonly unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked): Promise<Answer> => {
      try {
        return await ask(...asked);
      } catch (error) {
        throw clickhouseFault(located, error);
      }
    };
  return {
    rows: inWords(clickhouse.rows),
    texts: inWords(clickhouse.texts),
    columns: inWords(clickhouse.columns),
    command: inWords(clickhouse.command),
    insert: inWords(clickhouse.insert),
    close: clickhouse.close,
  };
};
