import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { PermanentError } from '../errors.ts';
import { literal, wholeNumber, type Clickhouse } from './clickhouse.ts';
import { statementsOf, tokensOf } from './sql/tokens.ts';
import { tables } from './table.ts';

/**
 * Brings the database to the shape that infra/clickhouse/migrations declares: numbered files, each applied once, in order, and recorded with its checksum.
 * A migration that was applied is never edited: its checksum is compared at every start. Statements are written so that a migration which was cut short can
 * be run again from its beginning.
 */
export type Migration = { readonly number: number; readonly name: string; readonly sql: string; readonly checksum: string };

export const migrationsFolder = path.join(import.meta.dirname, '..', '..', 'infra', 'clickhouse', 'migrations');

const fileName = /^(\d{4})_([a-z0-9_]+)\.sql$/;

export const readMigrations = async (folder: string = migrationsFolder): Promise<readonly Migration[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const match = fileName.exec(name);
      if (match === null || Number(match[1]) !== index + 1)
        throw new PermanentError('migration', `expected ${String(index + 1).padStart(4, '0')}_<name>.sql in ${folder}, got ${name}`);
      const sql = await readFile(path.join(folder, name), 'utf8');
      return { number: index + 1, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
};

/** Gives back the names of those that were applied now. Throws PermanentError `migration` when what was applied is not what the files say. */
export const applyMigrations = async (clickhouse: Clickhouse, migrations: readonly Migration[]): Promise<readonly string[]> => {
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS ${tables.migrations} (number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY number`,
  );
  const recorded = await clickhouse.rows(
    `SELECT number, any(name) AS name, any(checksum) AS checksum FROM ${tables.migrations} GROUP BY number`,
  );
  const applied = new Map(
    recorded.map((row) => [wholeNumber(row, 'number'), { name: String(row['name']), checksum: String(row['checksum']) }]),
  );
  for (const [number, { name }] of applied)
    if (number > migrations.length)
      throw new PermanentError(
        'migration',
        `expected a database of ${migrations.length} migrations or fewer, got one with ${name}: a newer version made it`,
      );

  const news = migrations.filter(({ number }) => !applied.has(number));
  for (const { number, name, checksum } of migrations) {
    const known = applied.get(number);
    if (known !== undefined && known.checksum !== checksum)
      throw new PermanentError(
        'migration',
        `expected ${name} as it was when it was applied (SHA-256 ${known.checksum.slice(0, 12)}), got ${checksum.slice(0, 12)}: put the change into a new migration, or empty the database and let it be built again from the log`,
      );
  }
  for (const migration of news) await applyMigration(clickhouse, migration);
  return news.map(({ name }) => name);
};

const applyMigration = async (clickhouse: Clickhouse, { number, name, sql, checksum }: Migration): Promise<void> => {
  const tokens = tokensOf(sql);
  if (tokens.kind === 'refused') throw new PermanentError('migration', `${name}: expected SQL, got ${tokens.reason}`);
  for (const statement of statementsOf(tokens.tokens)) await clickhouse.command(statement);
  await clickhouse.command(
    `INSERT INTO ${tables.migrations} SETTINGS async_insert = 0 VALUES (${number}, ${literal(name)}, ${literal(checksum)}, now64(3))`,
  );
};

/**
 * What a power cut may take, as for the log itself: with `always` an insert counts once it is on the disk. Otherwise the engine leaves that to the operating
 * system, and the projector reads again what went missing.
 */
export const applyDurability = async (clickhouse: Clickhouse, durability: 'always' | 'second' | 'os'): Promise<void> => {
  const on = durability === 'always' ? 1 : 0;
  const atLeast = durability === 'always' ? 1 : 0;
  for (const table of [tables.events, tables.orphaned, tables.epochs])
    await clickhouse.command(
      `ALTER TABLE ${table} MODIFY SETTING fsync_after_insert = ${on}, fsync_part_directory = ${on}, min_rows_to_fsync_after_merge = ${atLeast}, min_compressed_bytes_to_fsync_after_merge = ${atLeast}`,
    );
};
