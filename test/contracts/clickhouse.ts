import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorCode, identifier, isDataError, literal, wholeNumber, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { insertStatement } from '../../src/projections/event-writer.ts';

/** What the projector relies on, over every way into ClickHouse. `open` gives a connection of its own to one and the same database. */
export const clickhouseContract = (
  name: string,
  setUp: () => Promise<{ readonly open: () => Promise<Clickhouse>; readonly tearDown: () => Promise<void> }>,
) => {
  describe(`clickhouse contract: ${name}`, () => {
    let open: () => Promise<Clickhouse>;
    let tearDown: (() => Promise<void>) | undefined;
    let clickhouse: Clickhouse;
    const value = async (select: string): Promise<unknown> => (await clickhouse.rows(`SELECT ${select} AS v`))[0]?.['v'];

    beforeAll(async () => {
      ({ open, tearDown } = await setUp());
      clickhouse = await open();
      await clickhouse.command(
        `CREATE TABLE numbers_kept (n UInt64, t String, at DateTime64(3, 'UTC'), f Float64, b Bool) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100`,
      );
    });
    afterAll(async () => {
      await clickhouse.close();
      await tearDown?.();
    });

    const insert = (token: string, ...rows: readonly object[]) =>
      clickhouse.insert(insertStatement('numbers_kept', token), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const kept = async (where: string): Promise<number> =>
      wholeNumber((await clickhouse.rows(`SELECT count() AS c FROM numbers_kept WHERE ${where}`))[0], 'c');

    test('64-bit numbers arrive to the last digit', async () => {
      expect(await value('toUInt64(18446744073709551615)')).toBe('18446744073709551615');
      expect(wholeNumber({ v: await value('toUInt64(9007199254740991)') }, 'v')).toBe(Number.MAX_SAFE_INTEGER);
      expect(() => wholeNumber({ v: '9007199254740993' }, 'v')).toThrow(/2\^53/);
    });

    test('what was inserted is there when the insert resolves: text with every nasty character, objects as their text, milliseconds, left-out columns', async () => {
      const nasty = 'quote \' " back\\slash \n tab \t null \u0000 ü 漢 🚂';
      await insert('a', { n: 1, t: nasty, at: '2026-01-02 03:04:05.678', f: 1.5e-9, b: true }, { n: 2, t: { x: [1, nasty] } });
      const rows = await clickhouse.rows('SELECT * FROM numbers_kept WHERE n IN (1, 2) ORDER BY n');
      expect(rows).toEqual([
        { n: '1', t: nasty, at: '2026-01-02 03:04:05.678', f: 1.5e-9, b: true },
        { n: '2', t: JSON.stringify({ x: [1, nasty] }), at: '1970-01-01 00:00:00.000', f: 0, b: false },
      ]);
    });

    test('texts arrive as they are, one a row, empty ones too', async () => {
      const nasty = `quote ' " back\\slash \t tab ü 漢 🚂`;
      expect(await clickhouse.texts(`SELECT arrayJoin([${literal(nasty)}, '', 'last']) AS t`)).toEqual([nasty, '', 'last']);
      expect(await clickhouse.texts(`SELECT t FROM numbers_kept WHERE n = 999`)).toEqual([]);
    });

    test('a repeated token changes nothing, also with other rows, and another token counts', async () => {
      await insert('twice', { n: 10 }, { n: 11 });
      await insert('twice', { n: 10 }, { n: 11 });
      await insert('twice', { n: 10 });
      expect(await kept('n IN (10, 11)')).toBe(2);
      await insert('thrice', { n: 10 });
      expect(await kept('n = 10')).toBe(2);
    });

    test('the token of one insert does not reach the next statement', async () => {
      await insert('leak', { n: 20 });
      await clickhouse.command(`INSERT INTO numbers_kept (n) SETTINGS async_insert = 0 VALUES (21)`);
      await clickhouse.command(`INSERT INTO numbers_kept (n) SETTINGS async_insert = 0 VALUES (22)`);
      expect(await kept('n IN (20, 21, 22)')).toBe(3);
      expect(await value(`getSetting('insert_deduplication_token')`)).toBe('');
    });

    test('one insert is one part, however many rows', async () => {
      const rows = Array.from({ length: 70_000 }, (_, i) => ({ n: 1_000_000 + i, t: 'x'.repeat(40) }));
      await clickhouse.command('CREATE TABLE parts_kept AS numbers_kept');
      await clickhouse.insert(insertStatement('parts_kept', 'big'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const parts = await clickhouse.rows(
        `SELECT rows FROM system.parts WHERE database = currentDatabase() AND table = 'parts_kept' AND active`,
      );
      expect(parts.map((part) => wholeNumber(part, 'rows'))).toEqual([70_000]);
    });

    test('an insert with one bad row leaves nothing and says that the data is to blame', async () => {
      const error: unknown = await insert('bad', { n: 30 }, { n: 'not a number' }, { n: 31 }).catch((thrown: unknown) => thrown);
      expect(isDataError(error)).toBe(true);
      expect(await kept('n IN (30, 31)')).toBe(0);
    });

    test('errors carry the number of the engine; an unknown table is not the fault of the data', async () => {
      const error: unknown = await clickhouse.rows('SELECT * FROM no_such_table').catch((thrown: unknown) => thrown);
      expect(errorCode(error)).toBe(60);
      expect(isDataError(error)).toBe(false);
    });

    test('literals and identifiers keep what they are given', async () => {
      for (const text of [`it's`, 'a\\', `\\'; DROP TABLE numbers_kept; --`, 'two\nlines']) expect(await value(literal(text))).toBe(text);
      expect((await clickhouse.rows(`SELECT 1 AS ${identifier('odd `name\\')}`))[0]).toEqual({ 'odd `name\\': 1 });
    });

    test('a second connection sees the same data and closing it leaves the first one alone', async () => {
      const second = await open();
      await insert('shared', { n: 40 });
      expect(await second.rows('SELECT n FROM numbers_kept WHERE n = 40')).toEqual([{ n: '40' }]);
      await second.close();
      expect(await kept('n = 40')).toBe(1);
    });
  });
};
