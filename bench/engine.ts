import path from 'node:path';
import type { Config } from '../src/config/schema.ts';
import { openClickhouse, type Clickhouse } from '../src/projections/clickhouse.ts';
import { applyMigrations, readMigrations } from '../src/projections/migrations.ts';
import { startSqlInterface, type SqlInterface } from '../src/projections/sql/http-interface.ts';
import { createSandbox } from '../src/projections/sql/sandbox.ts';

export const requestTimeoutMs = 120_000;

/** The embedded engine in a folder of a benchmark. */
export const engineIn = (folder: string, { clickhouse: limits }: Config) => {
  const home = path.join(folder, 'clickhouse');
  return {
    /** A new database, migrated. */
    openDatabase: async (name: string): Promise<Clickhouse> => {
      const clickhouse = await openClickhouse({ kind: 'embedded', path: home, database: name }, { requestTimeoutMs });
      await applyMigrations(clickhouse, await readMigrations());
      return clickhouse;
    },
    /** The read-only interface, with its limits, as the projector serves it. */
    serve: async (name: string): Promise<SqlInterface> => {
      const { host, concurrentQueries } = limits;
      const answer = await createSandbox({ path: home, database: name, limits, concurrentQueries, threadPoolSize: 4 });
      return startSqlInterface({ host, port: 0, bodyLimitBytes: 1024 ** 2, answer });
    },
  };
};
