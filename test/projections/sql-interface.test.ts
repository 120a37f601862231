import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { attacks } from '../support/sql-attacks.ts';
import { count, testFolder } from '../support/projection.ts';

const secretText = 'nobody may read this';
const endless = 'SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1';

describe('the read-only HTTP interface over the real engine', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let writer: Clickhouse;
  let sql: SqlInterface;
  let client: ClickHouseClient;

  beforeAll(async () => {
    folder = await testFolder();
    writer = await openClickhouse(
      { kind: 'embedded', path: path.join(folder.path, 'data'), database: 'switchyard' },
      { requestTimeoutMs: 30_000 },
    );
    await writer.command('CREATE TABLE events (n UInt64, t String) ENGINE = MergeTree ORDER BY n');
    await writer.command(`INSERT INTO events SELECT number, toString(number) FROM numbers(10000)`);
    await writeFile(path.join(folder.path, 'secret'), secretText);
    const limits = { queryTimeoutMs: 1_500, queryMemoryBytes: 300_000_000, resultBytes: 2_000_000 };
    const answer = await createSandbox({
      path: path.join(folder.path, 'data'),
      database: 'switchyard',
      limits,
      concurrentQueries: 2,
      threadPoolSize: 4,
    });
    sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 100_000, answer });
    client = createClient({ url: sql.url, database: 'switchyard', log: { level: 127 } });
  });
  afterAll(async () => {
    await client.close();
    await sql.close();
    await writer.close();
    await folder.remove();
  });

  const ask = async (query: string, parameters: Readonly<Record<string, string>> = {}) => {
    const response = await fetch(`${sql.url}/?${new URLSearchParams(parameters).toString()}`, { method: 'POST', body: query });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  test('the official client: ping, JSON, stream, bound parameters of every kind, errors by number', async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
    const json = await client.query({ query: 'SELECT n, t FROM events WHERE n < {most:UInt64} ORDER BY n', query_params: { most: 2 } });
    expect((await json.json()).data).toEqual([
      { n: 0, t: '0' },
      { n: 1, t: '1' },
    ]);
    let streamed = 0;
    const stream = await client.query({ query: 'SELECT n FROM events', format: 'JSONEachRow' });
    for await (const rows of stream.stream()) streamed += rows.length;
    expect(streamed).toBe(10_000);
    const values = {
      s: 'it\'s "a"\ttab \\ and\nline ü',
      list: ['a', "b'c"],
      map: { x: 1 },
      none: null,
      when: new Date(1_700_000_000_123),
      big: '18446744073709551615',
    };
    const bound = await client.query({
      query:
        'SELECT {s:String} AS s, {list:Array(String)} AS list, {map:Map(String, UInt8)} AS map, {none:Nullable(String)} AS none, {when:DateTime64(3)} AS at, {big:UInt64} AS big',
      query_params: values,
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    });
    const { when: _when, ...same } = values;
    expect(await bound.json()).toEqual([{ ...same, at: '2023-11-14 22:13:20.123' }]);
    await expect(client.query({ query: 'SELECT * FROM nowhere' })).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' });
    await expect(client.query({ query: 'SELECT FROM WHERE' })).rejects.toMatchObject({ code: '62' });
    await expect(client.insert({ table: 'events', values: [{ n: 1 }], format: 'JSONEachRow' })).rejects.toMatchObject({
      code: '164',
      type: 'READONLY',
    });
    await expect(client.command({ query: 'DROP TABLE events' })).rejects.toMatchObject({ code: '164' });
  });

  test('parameters of queries that run at the same moment do not mix', async () => {
    const seen = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const result = await client.query({
          query: 'SELECT {i:String} AS i, sleep(0.05)',
          query_params: { i: String(i) },
          format: 'JSONEachRow',
        });
        return (await result.json<{ i: string }>())[0]?.i;
      }),
    );
    expect(seen).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  test('as curl has it: GET and POST, default format, headers', async () => {
    const got = await fetch(`${sql.url}/?query=${encodeURIComponent('SELECT n, t FROM events ORDER BY n LIMIT 1')}&default_format=CSV`);
    expect(got.headers.get('x-clickhouse-format')).toBe('CSV');
    expect(got.headers.get('content-type')).toBe('text/csv; charset=UTF-8');
    expect(await got.text()).toBe('0,"0"\n');
    const posted = await ask('SELECT 1 AS a FORMAT JSONEachRow');
    expect(posted).toMatchObject({ status: 200, text: '{"a":1}\n' });
    expect(posted.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
    expect(JSON.parse(posted.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ read_rows: '1' });
    expect((await ask('+ 1', { query: 'SELECT 1' })).text).toBe('2\n');
    expect((await ask('SELECT count() FROM system.one', { database: 'system' })).text).toBe('1\n');
    expect((await ask('SELECT 1', { database: 'nowhere' })).status).toBe(404);
    expect(await (await fetch(`${sql.url}/ping`)).text()).toBe('Ok.\n');
    expect((await fetch(`${sql.url}/play`)).status).toBe(404);
    const parquet = await fetch(sql.url, { method: 'POST', body: 'SELECT n FROM events FORMAT Parquet' });
    expect(
      Buffer.from(await parquet.arrayBuffer())
        .subarray(0, 4)
        .toString(),
    ).toBe('PAR1');
  });

  test('settings: harmless ones count, transport ones do not, others are refused with what is expected', async () => {
    const number = 'SELECT toUInt64(1) AS n FORMAT JSONEachRow';
    expect((await ask(number, { output_format_json_quote_64bit_integers: '1', wait_end_of_query: '1', session_id: 'x' })).text).toBe(
      '{"n":"1"}\n',
    );
    expect((await ask(number)).text).toBe('{"n":1}\n');
    expect((await ask('SELECT toUInt64(1) AS n SETTINGS output_format_json_quote_64bit_integers = 1 FORMAT JSONEachRow')).text).toBe(
      '{"n":"1"}\n',
    );
    for (const [name, value] of [
      ['max_execution_time', '60'],
      ['readonly', '0'],
      ['max_memory_usage', '0'],
      ['unheard_of', '1'],
      ['compress', '1'],
    ] as const) {
      const refused = await ask(number, { [name]: value });
      expect(refused.status).toBe(403);
      expect(refused.text).toMatch(/^Code: 164\. DB::Exception: .*\(READONLY\)\n$/);
      expect(refused.headers.get('x-clickhouse-exception-code')).toBe('164');
    }
  });

  test.each(attacks)('attack: %s', async (attack) => {
    const out = path.join(folder.path, 'out');
    const secret = path.join(folder.path, 'secret');
    const { status, text } = await ask(attack.replaceAll('{out}', out).replaceAll('{secret}', secret));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain(secretText);
    expect(existsSync(out)).toBe(false);
  });

  test.each([
    // Allowed by the guard or not: nothing may come of it in the engine either.
    [`SELECT '\\' INTO OUTFILE '{out}' --'`, {}],
    [`SELECT arrayMap({f:Identifier}, ['{secret}'])`, { param_f: 'file' }],
    [`SELECT {f:Identifier}('{secret}')`, { param_f: 'file' }],
    [`SELECT * FROM {f:Identifier}`, { param_f: '{secret}' }],
    [`SELECT * FROM '{secret}'`, {}],
    ['SELECT * FROM `{secret}`', {}],
    [`SELECT 1 INTO OUTFILE {x:String}`, { param_x: '{out}' }],
  ] as const)('attack by parameter or quoting: %s', async (attack, parameters) => {
    const out = path.join(folder.path, 'out');
    const fill = (text: string) => text.replaceAll('{out}', out).replaceAll('{secret}', path.join(folder.path, 'secret'));
    const { status, text } = await ask(
      fill(attack),
      Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, fill(value)])),
    );
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toContain(secretText);
    expect(existsSync(out)).toBe(false);
  });

  test('nothing was changed by any of it', async () => {
    expect(await count(writer, 'events')).toBe(10_000);
    expect(await writer.rows('SHOW TABLES')).toEqual([{ name: 'events' }]);
    await writer.command("INSERT INTO events SETTINGS async_insert = 0 VALUES (10000, 'written')");
    expect(await count(writer, 'events')).toBe(10_001);
  });

  test('limits: time, memory, size of the result, size of the query', async () => {
    expect(await ask(endless)).toMatchObject({ status: 408, text: expect.stringContaining('159') as string });
    expect(await ask('SELECT groupArray(number) FROM numbers(1000000000)')).toMatchObject({ status: 507 });
    expect(await ask('SELECT repeat(toString(number), 100) FROM numbers(50000)')).toMatchObject({
      text: expect.stringContaining('396') as string,
    });
    // A constant column is small to the engine, whatever it prints.
    expect(await ask(`SELECT repeat('x', 100000) FROM numbers(100)`)).toMatchObject({ text: expect.stringContaining('396') as string });
    expect(await ask(`SELECT '${'x'.repeat(200_000)}'`)).toMatchObject({ status: 413 });
  });

  test('an analyst who keeps the engine busy does not keep the writer waiting; the next ones are told to come again', async () => {
    let answered = 0;
    const others = Array.from({ length: 14 }, () => ask(endless).finally(() => answered++));
    for (let i = 0; i < 5; i++) await writer.command(`INSERT INTO events SETTINGS async_insert = 0 VALUES (${20_000 + i}, '')`);
    expect(answered).toBeLessThan(others.length);
    const answers = await Promise.all(others);
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThanOrEqual(4);
    expect(busy[0]?.headers.get('retry-after')).toBe('1');
    expect(busy[0]?.text).toContain('202');
    expect(answers.some(({ status }) => status === 408)).toBe(true);
  });

  test('forms, compressed bodies and other encodings are refused; so are hosts that are not this machine', async () => {
    const form = new FormData();
    form.set('query', 'SELECT 1');
    expect((await fetch(sql.url, { method: 'POST', body: form })).status).toBe(400);
    expect((await fetch(sql.url, { method: 'POST', body: 'SELECT 1', headers: { 'content-encoding': 'gzip' } })).status).toBe(400);
    expect((await fetch(sql.url, { method: 'POST', body: Buffer.from([0x53, 0xff, 0xfe]) })).status).toBe(400);
    expect((await fetch(sql.url, { method: 'POST' })).status).toBe(400);
    const foreign = await request(`${sql.url}/?query=SELECT%201`, { headers: { host: 'attacker.example' } });
    expect(foreign.statusCode).toBe(403);
    await foreign.body.dump();
  });
});
