import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { applyDurability, applyMigrations, migrationsFolder, readMigrations, type Migration } from '../../src/projections/migrations.ts';
import { testFolder } from '../support/projection.ts';

const migration = (number: number, sql: string, checksum = `sum-${number}`): Migration => ({
  number,
  name: `000${number}_x.sql`,
  sql,
  checksum,
});

describe('migrations', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  beforeEach(async () => {
    folder = await testFolder();
    clickhouse = await openClickhouse({ kind: 'embedded', path: folder.path, database: 'shape' }, { requestTimeoutMs: 30_000 });
  });
  afterEach(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  const names = async () => (await clickhouse.rows('SHOW TABLES')).map((row) => String(row['name']));

  test('those of the product make tables and views, once', async () => {
    const migrations = await readMigrations();
    expect(migrations).toHaveLength((await readdir(migrationsFolder)).length);
    expect(await applyMigrations(clickhouse, migrations)).toEqual(migrations.map(({ name }) => name));
    expect(await applyMigrations(clickhouse, migrations)).toEqual([]);
    expect(await names()).toEqual(
      'arms_over_time cache_hits decisions events events_orphaned failures feedback paces parity policy_changes requests rewards schema_migrations shadow_comparison shadow_skips shadows stream_epochs'.split(
        ' ',
      ),
    );
  });

  test('one that was cut short is run again from its beginning', async () => {
    const broken = migration(1, 'CREATE TABLE IF NOT EXISTS a (n UInt8) ENGINE = Memory; CREATE TABLE oops;');
    await expect(applyMigrations(clickhouse, [broken])).rejects.toThrow();
    const mended = migration(
      1,
      'CREATE TABLE IF NOT EXISTS a (n UInt8) ENGINE = Memory; CREATE TABLE IF NOT EXISTS b (n UInt8) ENGINE = Memory;',
    );
    expect(await applyMigrations(clickhouse, [mended])).toEqual(['0001_x.sql']);
    expect(await names()).toEqual(['a', 'b', 'schema_migrations']);
  });

  test('an applied one that was edited is refused, with what to do', async () => {
    await applyMigrations(clickhouse, [migration(1, 'SELECT 1')]);
    await expect(
      applyMigrations(clickhouse, [migration(1, 'SELECT 2', 'edited'), migration(2, 'CREATE TABLE c (n UInt8) ENGINE = Memory')]),
    ).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'migration',
      message: expect.stringContaining('0001_x.sql') as string,
    });
    expect(await names()).toEqual(['schema_migrations']);
  });

  test('a database that a newer version made is refused', async () => {
    await applyMigrations(clickhouse, [migration(1, 'SELECT 1'), migration(2, 'SELECT 2')]);
    await expect(applyMigrations(clickhouse, [migration(1, 'SELECT 1')])).rejects.toMatchObject({ code: 'migration' });
  });

  test('durability is a setting of the tables and can be changed either way', async () => {
    await applyMigrations(clickhouse, await readMigrations());
    const fsync = async () =>
      (
        await clickhouse.rows(`SELECT create_table_query AS q FROM system.tables WHERE database = currentDatabase() AND name = 'events'`)
      ).map((row) => /fsync_after_insert = (\d)/.exec(String(row['q']))?.[1]);
    await applyDurability(clickhouse, 'always');
    expect(await fsync()).toEqual(['1']);
    await applyDurability(clickhouse, 'os');
    expect(await fsync()).toEqual(['0']);
  });
});
