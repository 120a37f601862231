import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { judgeSetting } from '../../src/projections/sql/settings-policy.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { cellsOf } from '../../src/domain/routing/features/cells.ts';
import type { RequestFeaturesV2 } from '../../src/events/schemas/features.ts';
import { request as features } from '../domain/support/routing.ts';
import { append, appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { completed, failed, hit, judged, rewarded } from '../support/projection-events.ts';

const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'sql.md'), 'utf8');

/** `### name` and the table of columns under it. */
const documented = new Map(
  [...page.matchAll(/^### ([a-z_]+)\n[\s\S]*?(?=^##)/gm)].map(([section, name]) => [
    name,
    [...section.matchAll(/^\| `([^`]+)` +\| `([^`]+)` +\| (.+?) +\|$/gm)].map(([, column, type, meaning]) => ({ column, type, meaning })),
  ]),
);
const queries = [...page.matchAll(/^```sql\n([\s\S]*?)```$/gm)].map(([, query]) => query ?? '');

describe('docs/sql.md', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  let sql: SqlInterface;
  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 40);
    await append(
      bus.log,
      [hit(41, 1), completed(41, { origin: 'cache' }), rewarded(41, { cause: 'cache' })],
      [failed(42)],
      [judged(1)],
      [judged(2, { scoreMicro: 900_000 })],
    );
    const inCells = (success: number, kind: RequestFeaturesV2['kind'], ending: number) => ({
      arm: 'arm-of-cells',
      cells: [...cellsOf({ ...features, kind, ending })],
      evidence: { ...rewarded(1).data.evidence, success },
    });
    await append(
      bus.log,
      [rewarded(51, inCells(1_000_000, 'arithmetic', 3))],
      [rewarded(52, inCells(0, 'arithmetic', 4))],
      [rewarded(53, inCells(1_000_000, 'translation', 3))],
    );
    bus.inject('switchyard.event.default.x', new TextEncoder().encode('garbage'));
    await project(clickhouse, bus);
    const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
    const answer = await createSandbox({ path: folder.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
    sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
  });
  afterAll(async () => {
    await sql.close();
    await clickhouse.close();
    await folder.remove();
  });

  test('each table and view is described column by column, with its type', async () => {
    const real = await clickhouse.rows(
      `SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND table NOT IN ('events_orphaned', 'schema_migrations') ORDER BY table, position`,
    );
    const names = new Set(real.map((row) => String(row['table'])));
    for (const name of names)
      expect(
        documented.get(name)?.map(({ column, type }) => `${column} ${type}`),
        name,
      ).toEqual(real.filter((row) => row['table'] === name).map((row) => `${String(row['name'])} ${String(row['type'])}`));
    expect(names.size).toBe(15);
  });

  test('the meanings of the columns of a table are its comments', async () => {
    for (const table of ['events', 'stream_epochs']) {
      const comments = await clickhouse.rows(
        `SELECT comment FROM system.columns WHERE database = currentDatabase() AND table = '${table}' ORDER BY position`,
      );
      expect(documented.get(table)?.map(({ meaning }) => meaning)).toEqual(comments.map((row) => row['comment']));
    }
  });

  test('there are queries enough to begin with', () => {
    expect(queries.length).toBeGreaterThanOrEqual(10);
  });

  test.each(queries)('the cookbook works over the read-only interface: %s', async (query) => {
    const response = await fetch(`${sql.url}/?default_format=JSONEachRow`, { method: 'POST', body: query });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    // The events of the test are of 2026-01-01: only what asks for the last hour may find nothing.
    if (!query.includes('INTERVAL 1 HOUR')) expect(text).not.toBe('');
    expect(text).not.toMatch(/"nan"|inf/);
  });

  test('what arms are good at: by all and by kind, finer kinds left out, the means of what was recorded', async () => {
    const query = queries.find((one) => one.includes('ARRAY JOIN cells')) ?? '';
    const response = await fetch(`${sql.url}/?default_format=JSONEachRow`, { method: 'POST', body: query });
    const rows = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const found = rows.filter(({ arm }) => arm === 'arm-of-cells').map(({ cell, trials, success }) => [cell, Number(trials), success]);
    expect(found).toEqual([
      ['all', 3, 0.667],
      ['kind:arithmetic', 2, 0.5],
      ['kind:translation', 1, 1],
    ]);
    expect(rows.filter(({ cell }) => String(cell).startsWith('ending:'))).toEqual([]);
  });

  test('settings that the page names as in force or without effect are', () => {
    const limits = { queryTimeoutMs: 1_000, queryMemoryBytes: 1_000, resultBytes: 1_000 };
    const rows = page.split('\n').filter((line) => line.includes('in force for this query') || line.includes('accepted, without effect'));
    expect(rows).toHaveLength(2);
    for (const row of rows)
      for (const [, name = ''] of (row.split('|')[1] ?? '').matchAll(/`([a-z_0-9]+)`/g))
        expect(`${name}: ${judgeSetting(name, '1', limits).kind}`).toBe(`${name}: ${row.includes('without effect') ? 'ignore' : 'apply'}`);
  });
});
