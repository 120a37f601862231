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

    test('columns arrive with their types, in one piece however many blocks the engine makes of them', async () => {
      const columns = await clickhouse.columns(
        `SELECT number / 3 AS f, toUInt8(number % 2) AS b, toInt32(number - 1) AS i, concat('täxt ', toString(number)) AS t, if(number % 3 = 1, '', concat('text ', toString(number))) AS ascii, if(number = 70000, '\ufeff漢', 't') AS mixed, toLowCardinality(['a', '', '漢'][1 + number % 3]) AS l,
          arrayMap(x -> x / 7, range(number % 3)) AS list, number AS big, if(number = 5, NULL, 1) AS missing FROM numbers(150000) ORDER BY number`,
      );
      expect(columns.rows).toBe(150_000);
      const at = 149_999;
      expect([columns.numbers('f')[at], columns.numbers('b')[at], columns.numbers('i')[at], columns.numbers('i')[0]]).toEqual([
        at / 3,
        1,
        at - 1,
        -1,
      ]);
      const [texts, names] = [columns.texts('t'), columns.texts('l')];
      const { offsets, values } = columns.lists('list');
      const list = (row: number) => Array.from(values).slice(offsets[row], offsets[row + 1]);
      expect([texts.length, texts[0], texts[at]]).toEqual([150_000, 'täxt 0', 'täxt 149999']);
      const [ascii, mixed] = [columns.texts('ascii'), columns.texts('mixed')];
      const expected = Array.from({ length: 150_000 }, (_, n) => (n % 3 === 1 ? '' : `text ${n}`));
      expect(ascii.findIndex((text, n) => text !== expected[n])).toBe(-1);
      expect([ascii.length, mixed.length, mixed[69_999], mixed[70_000], mixed[at]]).toEqual([150_000, 150_000, 't', '\ufeff漢', 't']);
      expect([names.length, ...names.slice(0, 4), names[at]]).toEqual([150_000, 'a', '', '漢', 'a', '漢']);
      expect([offsets.length, list(0), list(1), list(2), list(at)]).toEqual([150_001, [], [0], [0, 1 / 7], [0, 1 / 7]]);
      expect(() => columns.numbers('big')).toThrow(/numbers of at most 32 bits or Float64 in column big/);
      expect(() => columns.numbers('missing')).toThrow(/no NULL in column missing/);
      expect(() => columns.numbers('t')).toThrow(/column t/);
      expect(() => columns.texts('f')).toThrow(/expected text in column f/);
      expect(() => columns.lists('f')).toThrow(/expected lists/);
      expect(() => columns.texts('nowhere')).toThrow(/expected a column nowhere/);
    });

    test('columns of no rows are empty, and an error is an error', async () => {
      const columns = await clickhouse.columns(`SELECT f, t, toLowCardinality(t) AS l, [f] AS list FROM numbers_kept WHERE n = 999`);
      expect(columns.rows).toBe(0);
      expect([columns.numbers('f').length, columns.texts('t'), columns.texts('l'), columns.lists('list').offsets.length]).toEqual([
        0,
        [],
        [],
        1,
      ]);
      await expect(clickhouse.columns('SELECT nowhere FROM numbers_kept')).rejects.toThrow(/nowhere/);
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
