import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import type { EvaluationReport } from '../../src/replay/evaluation/report.ts';
import { readLog, readLogHeader } from '../../src/replay/interchange/read-log.ts';
import { collected } from '../replay/interchange/support/records.ts';
import { append, memoryBus, openShaped, project } from '../support/projection.ts';
import { armOf, completed, decided, rewarded, testStartMs } from '../support/projection-events.ts';
import { jsonLines, runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

/** `export` against the real embedded engine behind the real read-only interface, and `import` of what it wrote. */
let dataPath: string;
let clickhouse: Clickhouse;
let server: SqlInterface;
let folder: TestFolder;
/** The whole log, to log.jsonl.gz. */
let exported: Awaited<ReturnType<typeof run>>;
const requests = 26;

beforeAll(async () => {
  dataPath = mkdtempSync(path.join(tmpdir(), 'yard-export-'));
  folder = testFolder({ tenants: [{ id: 'default' }, { id: 'quiet' }] });
  clickhouse = await openShaped(dataPath);
  const bus = memoryBus();
  for (let i = 1; i <= requests; i++) {
    const at = { decidedAt: new Date(testStartMs + 100 * i).toISOString() };
    await append(bus.log, [decided(i, at)]);
    // Nothing came of the last one.
    if (i < requests)
      await append(bus.log, [
        completed(i),
        rewarded(i, { ...at, evidence: { ...rewarded(i).data.evidence, costNanoUsd: 2_000, latencyMs: 101, promptTokens: 30 } }),
      ]);
  }
  await project(clickhouse, bus);
  const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
  const answer = await createSandbox({ path: dataPath, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  server = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
  exported = await run('--format', 'jsonl', '--out', at('log.jsonl.gz'), '--json');
});
afterAll(async () => {
  await server.close();
  await clickhouse.close();
  folder.remove();
  rmSync(dataPath, { recursive: true, force: true });
});

const at = (...names: readonly string[]): string => path.join(folder.path, ...names);
const run = (...args: readonly string[]) => runCli(['export', '--config', folder.config, '--sql-url', server.url, ...args]);
describe('export', () => {
  it('writes JSON lines that are read again: all decisions of the log, each with what came of it', async () => {
    const { status, stdout, stderr } = exported;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const records = await collected(readLog(at('log.jsonl.gz')));
    expect(records).toHaveLength(requests);
    expect(jsonLines(stdout)).toMatchObject([
      {
        format: 'jsonl',
        files: [at('log.jsonl.gz')],
        records: requests,
        withoutOutcome: 1,
        policies: 1,
        binary: false,
        period: { decisions: requests },
      },
    ]);
    expect(records.at(-1)).toMatchObject({
      id: `default/request-${requests}`,
      arm: armOf(requests),
      propensity: 0.25,
      outcome: null,
    });
    expect(records[0]).toMatchObject({ tenant: 'default', policy: 'thompson 0123456789abcdef', context: { kind: 'request', draw: 0.5 } });
    expect(records[0]?.outcome).toMatchObject({
      parts: { success: 1, streaming: 0.007919 },
      costUsd: 2e-6,
      latencyMs: 101,
      tokens: { prompt: 30 },
    });
    expect(await readLogHeader(at('log.jsonl.gz'))).toMatchObject({ period: { from: '1' }, tenant: null, weights: { success: 0.4 } });
  });

  it('writes a part of the log', async () => {
    const all = await collected(readLog(at('log.jsonl.gz')));
    const { status, stdout } = await run(
      '--format',
      'jsonl',
      '--from',
      '3',
      '--to',
      '20',
      '--tenant',
      'default',
      '--out',
      at('part.jsonl'),
      '--json',
    );
    expect(status).toBe(0);
    const part = await collected(readLog(at('part.jsonl')));
    expect(part.length).toBeLessThan(all.length);
    const ids = new Set(part.map(({ id }) => id));
    expect(part.map(({ outcome: _, ...record }) => record)).toEqual(
      all.filter(({ id }) => ids.has(id)).map(({ outcome: _, ...record }) => record),
    );
    expect(jsonLines(stdout)).toMatchObject([{ period: { tenant: 'default' } }]);
  });

  it('writes a folder for Open Bandit Pipeline, and import reads it back', async () => {
    const { status, stdout, stderr } = await run('--format', 'openbandit', '--out', at('obp'));
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toContain('1 of them has no outcome: they are left out');
    expect(stderr).toContain('click holds rewards from 0 to 1');
    const [log, items] = [at('obp', 'bts', 'all', 'all.csv'), at('obp', 'bts', 'all', 'item_context.csv')];
    const count = requests - 1;
    expect(parse(readFileSync(log, 'utf8'), { columns: true })).toHaveLength(count);
    const imported = await runCli(['import', log, '--format', 'openbandit', '--item-context', items, '--out', at('back.jsonl'), '--json']);
    expect(imported.status).toBe(0);
    // Features alone are lost, and that is said.
    expect(imported.stderr).toMatch(/^not read: the columns user_feature_prompt_characters, .*, and \d+ more\n$/);
    expect(jsonLines(imported.stdout)).toMatchObject([
      { records: count, skipped: 0, withoutOutcome: 0, itemsNotSeen: 0, itemsNotNamed: 0, positionsNotSeen: [] },
    ]);
    const [all, back] = await Promise.all([collected(readLog(at('log.jsonl.gz'))), collected(readLog(at('back.jsonl')))]);
    expect(back.map(({ atMs, arm, propensity }) => [atMs, arm, propensity])).toEqual(
      all.filter(({ outcome }) => outcome !== null).map(({ atMs, arm, propensity }) => [atMs, arm, propensity]),
    );
  });

  it('writes Parquet that ClickHouse reads', async () => {
    const { status, stderr } = await run('--format', 'parquet', '--out', at('log.parquet'));
    expect(status, stderr).toBe(0);
    const [sums] = await clickhouse.rows(
      `SELECT count() AS n, countIf(reward IS NULL) AS open, groupUniqArray(arm) AS arms FROM file(${literal(at('log.parquet'))}, 'Parquet')`,
    );
    expect(sums).toMatchObject({ n: String(requests), open: '1' });
  });

  it.each([
    [
      'a name that is taken',
      () => ['--format', 'jsonl', '--out', at('log.jsonl.gz')],
      'expected a name that is not taken; --force replaces what is there',
    ],
    [
      'a period without decisions',
      () => ['--format', 'jsonl', '--from', '1000000', '--out', at('new.jsonl')],
      'expected decisions of the current log in the period',
    ],
    [
      'a tenant without decisions',
      () => ['--format', 'jsonl', '--tenant', 'quiet', '--out', at('new.jsonl')],
      'of the tenant "quiet", got none',
    ],
    ['a tenant that nobody knows', () => ['--format', 'jsonl', '--tenant', 'defualt', '--out', at('new.jsonl')], '"default" is meant'],
    ['a format that there is not', () => ['--format', 'xml', '--out', at('new.jsonl')], 'jsonl, openbandit, parquet'],
    ['no format', () => ['--out', at('new.jsonl')], '--format'],
    ['no file', () => ['--format', 'jsonl'], '--out'],
  ])('%s is told in a sentence, exit code 2, and nothing is written', async (_what, args, expected) => {
    const before = readdirSync(folder.path);
    const { status, stdout, stderr } = await run(...args());
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder.path)).toEqual(before);
  });

  it.each(['jsonl', 'openbandit', 'parquet'])('says that the disk takes no more, and leaves nothing: %s', async (format) => {
    const before = readdirSync(folder.path);
    // In blocks of 512 bytes: less than any of the three has.
    const args = ['export', '--config', folder.config, '--sql-url', server.url, '--format', format, '--out', at('large')];
    const { status, stdout, stderr } = await runCli(args, { before: 'ulimit -f 2', env: { NODE_DISABLE_COMPILE_CACHE: '1' } });
    expect(stderr).toMatch(/^switchyard: .*large.*: could not be written.*\n$/);
    if (format !== 'parquet') expect(stderr).toContain('the file would be larger than it may be (EFBIG)');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder.path)).toEqual(before);
  });

  it('says how to start when nobody is there, exit code 3', async () => {
    const { status, stderr } = await runCli(['export', '--config', folder.config, '--format', 'jsonl', '--out', at('new.jsonl')]);
    expect(status).toBe(3);
    expect(stderr).toContain('got a refused connection; start the yard with ./switchyard up');
  });
});

describe('import', () => {
  const csv = (name: string, ...rows: readonly string[]): string => {
    writeFileSync(at(name), `${[',timestamp,item_id,position,click,propensity_score', ...rows].join('\n')}\n`);
    return at(name);
  };
  const row = (index: number, item: number, p: string) => `${index},2019-11-24 00:00:0${index}+00:00,${item},1,${index % 2},${p}`;
  const importLog = (...args: readonly string[]) => runCli(['import', '--format', 'openbandit', ...args]);

  it('makes a log with the names and candidates that are given', async () => {
    const log = csv('log.csv', row(0, 0, '0.5'), row(1, 1, '0.25'));
    writeFileSync(at('dist.json'), JSON.stringify([[0.5], [0.25], [0.25]]));
    const { status, stderr } = await importLog(
      log,
      '--out',
      at('log-1.jsonl'),
      '--policy',
      'half',
      '--tenant',
      'shop',
      '--action-dist',
      at('dist.json'),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: `2 decisions over 2 items in ${at('log-1.jsonl')}\n` });
    expect(await collected(readLog(at('log-1.jsonl')))).toMatchObject([
      { id: '0', tenant: 'shop', policy: 'half', arm: '0', candidates: { arms: ['0', '1', '2'], propensities: [0.5, 0.25, 0.25] } },
      { id: '1', arm: '1', outcome: { parts: { success: 1 } } },
    ]);
  });

  it('says when the distribution is hardly that of the log', async () => {
    writeFileSync(at('other.json'), JSON.stringify([[0.5], [0.5]]));
    const { status, stderr } = await importLog(at('log.csv'), '--out', at('log-2.jsonl'), '--action-dist', at('other.json'));
    expect(status).toBe(0);
    expect(stderr).toContain('1 of 2 have another propensity_score than the action distribution says');
    // These keep what they were drawn with, and the file does not contradict itself.
    expect(await collected(readLog(at('log-2.jsonl')))).toMatchObject([
      { propensity: 0.5, candidates: { propensities: [0.5, 0.5] } },
      { propensity: 0.25, candidates: null },
    ]);
    writeFileSync(at('rare.json'), JSON.stringify([[0.9], [0.1]]));
    const rare = await importLog(at('log.csv'), '--out', at('log-rare.jsonl'), '--action-dist', at('rare.json'));
    expect(rare.stderr).toContain('differ by a factor of 2.50: are they of the same policy, and is the log of one alone?');
  });

  it('tells a bad row, or leaves it out and counts it', async () => {
    const log = csv('bad.csv', row(0, 0, '0.5'), row(1, 1, '0'), row(2, 1, '\u001b[31m'));
    const refused = await importLog(log, '--out', at('bad.jsonl'));
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toBe(`switchyard: ${log}:3: expected a propensity_score above 0 and at most 1, got "0"\n`);
    expect(readdirSync(folder.path)).not.toContain('bad.jsonl');
    const skipped = await importLog(log, '--out', at('bad.jsonl'), '--skip-bad', '--json');
    expect(skipped.status).toBe(0);
    expect(jsonLines(skipped.stdout)).toMatchObject([{ records: 1, skipped: 2 }]);
    expect(skipped.stderr).toContain('2 rows could not be read and were left out');
    expect(skipped.stderr).not.toContain('\u001b');
  });

  it('says what it leaves out: columns, positions, items', async () => {
    const log = at('left.csv');
    const line = (index: number, item: number) => `${index},2019-11-24 00:00:00+00:00,${item},2,0,0.5,x,0.1,note`;
    writeFileSync(
      log,
      `,timestamp,item_id,position,click,propensity_score,user_feature_0,affinity_1,"\u001b[31mred"\n${line(0, 0)}\n${line(1, 5)}\n`,
    );
    writeFileSync(at('items.csv'), 'item_id,arm\n0,zero\n1,one\n2,two\n');
    writeFileSync(
      at('wide.json'),
      JSON.stringify(Array.from({ length: 6 }, (_, item) => [0, 0.5, 0].map((p) => (item === 0 || item === 5 ? 0.5 : p * 0)))),
    );
    const { status, stdout, stderr } = await importLog(
      ...[log, '--out', at('left.jsonl'), '--item-context', at('items.csv'), '--action-dist', at('wide.json'), '--json'],
    );
    expect(status, stderr).toBe(0);
    expect(stderr.split('\n').slice(0, -1)).toEqual([
      'not read: the columns user_feature_0, affinity_1, red',
      'not used: what the action distribution says of position 1, 3, which no row has',
      '2 items of --item-context are in no row: candidates may choose among all, and the log says nothing of these',
      '1 item has no name in --item-context, and the number in its place',
    ]);
    expect(jsonLines(stdout)).toMatchObject([
      {
        columnsNotRead: { count: 3, first: ['user_feature_0', 'affinity_1', '\u001b[31mred'] },
        positionsNotSeen: [1, 3],
        itemsNotSeen: 2,
        itemsNotNamed: 1,
      },
    ]);
  });

  it('keeps the items that no row has: a candidate may choose them', async () => {
    const log = csv('men.csv', ...Array.from({ length: 9 }, (_, i) => row(i, i % 3, '0.25')));
    writeFileSync(at('four.csv'), 'item_id\n0\n1\n2\n3\n');
    const unsupported = async (name: string, ...context: readonly string[]) => {
      const imported = await importLog(log, '--out', at(name), ...context);
      expect(imported.status, imported.stderr).toBe(0);
      const evaluated = await runCli(['evaluate', '--policy', 'uniform', '--file', at(name), '--resamples', '20', '--json']);
      const { candidates } = JSON.parse(evaluated.stdout) as EvaluationReport;
      return {
        share: candidates[0]?.diagnostics.unsupported,
        mean: candidates[0]?.diagnostics.meanWeight,
        warned: candidates[0]?.warnings.map(({ code }) => code),
      };
    };
    const four = await unsupported('four.jsonl', '--item-context', at('four.csv'));
    expect(four).toEqual({ share: 0.25, mean: 1, warned: ['unsupported', 'rare_outcomes'] });
    expect((await readLogHeader(at('four.jsonl'))).arms?.map(({ arm }) => arm)).toEqual(['0', '1', '2', '3']);
    const three = await unsupported('three.jsonl');
    expect(three).toMatchObject({ share: 0, mean: 4 / 3, warned: ['arms_assumed', 'rare_outcomes'] });
  });

  it('does not take an item without a name for one that is named by its number', async () => {
    writeFileSync(at('numbers.csv'), 'item_id,arm\n0,1\n');
    const log = csv('two-items.csv', row(0, 0, '0.5'), row(1, 1, '0.5'));
    const { status, stderr } = await importLog(log, '--out', at('two-items.jsonl'), '--item-context', at('numbers.csv'));
    expect(status).toBe(2);
    expect(stderr).toBe(`switchyard: ${log}:3: expected a name for item 1, as another item is called so, got none\n`);
    writeFileSync(at('two.json'), JSON.stringify([[0.5], [0.5]]));
    const known = await importLog(
      log,
      '--out',
      at('two-items.jsonl'),
      '--item-context',
      at('numbers.csv'),
      '--action-dist',
      at('two.json'),
    );
    expect(known.stderr).toContain('expected a name for item 1 of the action distribution: another item is called so');
  });

  it.each([
    ['a campaign of nothing', () => ['--campaign', 'men'], '--campaign: expected together with --action-dist'],
    ['uniform over nobody knows what', () => ['--action-dist', 'uniform'], 'expected together with --item-context'],
    ['a distribution that is not there', () => ['--action-dist', at('nothing.json')], 'nothing.json: expected a file that can be read'],
  ])('%s', async (_what, args, expected) => {
    const { status, stderr } = await importLog(at('log.csv'), '--out', at('log-3.jsonl'), ...args());
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(stackTrace);
    expect(status).toBe(2);
  });
});
