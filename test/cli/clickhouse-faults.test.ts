import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/config/schema.ts';
import { sequence } from '../../src/events/index.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import type { AnswerSql, SqlAnswer } from '../../src/projections/sql/question.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { decidedLog, yardConfig } from '../replay/support/decided-log.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { openShaped, project, testFolder as dataFolder } from '../support/projection.ts';
import { runCli, stackTrace, testFolder, type Ended, type TestFolder } from './support/cli.ts';

/** Every command that reads ClickHouse through its port, where ClickHouse does not answer and where a query meets a limit: one sentence that names the setting. Real log, real engine behind its real interface. */
let nats: TestNats;
let data: Awaited<ReturnType<typeof dataFolder>>;
let clickhouse: Clickhouse;
let folder: TestFolder;
let policy: string;
const opened: SqlInterface[] = [];
const folders: TestFolder[] = [];
/** Passes where nobody answers, and is enough for what answers at once. */
const patienceMs = 3_000;

beforeAll(async () => {
  const made = await decidedLog(60);
  nats = await startTestNats();
  const bus = await connectTestBus(nats.url);
  let copied = 0;
  for await (const entry of made.log.read({ from: sequence(1) }))
    if (entry.kind === 'events') await bus.log.append(entry.events, { idempotencyId: `copy-${++copied}` });
  data = await dataFolder();
  clickhouse = await openShaped(data.path);
  await project(clickhouse, bus);
  await bus.close();
  folder = testFolder({ ...yardConfig, nats: { url: nats.url } });
  policy = path.join(folder.path, 'policy.yaml');
  writeFileSync(policy, stringify({ kind: 'epsilon-greedy' }));
});

afterAll(async () => {
  for (const one of opened) await one.close();
  await clickhouse.close();
  await data.remove();
  await nats.stop();
  for (const one of [folder, ...folders]) one.remove();
});

const roomy = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e8 };
const engine = (limits: Partial<typeof roomy> = {}): Promise<AnswerSql> =>
  createSandbox({ path: data.path, database: 'switchyard', limits: { ...roomy, ...limits }, concurrentQueries: 2, threadPoolSize: 4 });

const serve = async (answer: AnswerSql): Promise<string> => {
  const server = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
  opened.push(server);
  return server.url;
};

const configWith = (clickhouseConfig: ConfigInput['clickhouse']): string => {
  const own = testFolder({ ...yardConfig, nats: { url: nats.url }, clickhouse: { port: 1, ...clickhouseConfig } });
  folders.push(own);
  return own.config;
};

let files = 0;
/** By the name of each command: its arguments. */
const commands: readonly (readonly [string, () => readonly string[]])[] = [
  ['evaluate', () => ['evaluate', '--policy', policy, '--force']],
  ['evaluate --learning', () => ['evaluate', '--policy', policy, '--force', '--learning', '--nats-url', nats.url]],
  ['export', () => ['export', '--format', 'jsonl', '--out', path.join(folder.path, `log-${++files}.jsonl`)]],
  ['replay', () => ['replay']],
  ['replay --policy', () => ['replay', '--policy', policy]],
];

const probed: SqlAnswer = {
  kind: 'result',
  body: new TextEncoder().encode('{"1":1}\n'),
  format: 'JSONEachRow',
  elapsedNs: 1,
  rowsRead: 1,
  bytesRead: 1,
};

/** A probe may pass before the work itself meets the fault. */
const answersProbe =
  (probe: AnswerSql, others: AnswerSql): AnswerSql =>
  (question) =>
    (question.sql.startsWith('SELECT 1') ? probe : others)(question);

const isOneSentence = ({ stdout, stderr }: Ended) => {
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(stackTrace);
  expect(stderr).toMatch(/^switchyard: [^\n]+\n$/);
};

describe.each(commands)('%s', (_name, args) => {
  const run = (config: string, ...more: readonly string[]) => runCli([...args(), '--config', config, ...more]);

  it('names server and setting where ClickHouse does not answer in time: exit code 3', async () => {
    const silent = await serve(
      answersProbe(
        async () => probed,
        () => new Promise(() => undefined),
      ),
    );
    const ended = await run(configWith({ queryTimeoutMs: patienceMs }), '--sql-url', silent);
    expect(ended.status).toBe(3);
    expect(ended.stderr).toContain(
      `expected ClickHouse at ${silent} (as --sql-url says), got no answer within ${patienceMs} ms (clickhouse.queryTimeoutMs)`,
    );
    isOneSentence(ended);
  });

  it.each([
    [241, 'clickhouse.queryMemoryBytes', { queryMemoryBytes: 100_000 }],
    [396, 'clickhouse.resultBytes', { resultBytes: 50 }],
  ] as const)('names the setting where a query meets the limit of code %i: exit code 2', async (code, setting, limits) => {
    const limited = await serve(answersProbe(await engine(), await engine(limits)));
    const ended = await run(folder.config, '--sql-url', limited);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toContain(`ClickHouse refused (code ${code}): `);
    expect(ended.stderr).toContain(`; raise ${setting} and start the yard again, or ask for less\n`);
    isOneSentence(ended);
  });
});

/** Those that ask for a few rows: a limit that is met is told as `sql` tells it (sql.test.ts). */
it.each([
  ['arms', () => ['arms', '--nats-url', nats.url]],
  ['arms --compare', () => ['arms', '--compare', '--nats-url', nats.url]],
  ['shadow', () => ['shadow', '--tenant', 'acme']],
  ['sql', () => ['sql', 'SELECT 1']],
])('%s: names server and setting where ClickHouse does not answer in time: exit code 3', async (_name, args) => {
  const silent = await serve(() => new Promise(() => undefined));
  const ended = await runCli([...args(), '--config', configWith({ queryTimeoutMs: patienceMs }), '--sql-url', silent]);
  expect(ended.status).toBe(3);
  expect(ended.stderr).toContain(`got no answer within ${patienceMs} ms (clickhouse.queryTimeoutMs)`);
  isOneSentence(ended);
});

describe('of all of them', () => {
  const run = (config: string, sqlUrl?: string) =>
    runCli([
      'export',
      '--format',
      'jsonl',
      '--out',
      path.join(folder.path, 'none.jsonl'),
      '--config',
      config,
      ...(sqlUrl === undefined ? [] : ['--sql-url', sqlUrl]),
    ]);
  const tooLong: AnswerSql = async () => ({
    kind: 'error',
    code: 159,
    name: 'TIMEOUT_EXCEEDED',
    message: 'Timeout exceeded: elapsed 33 ms, maximum: 20 ms',
  });

  it('the time of a query is a limit that is named', async () => {
    const { status, stderr } = await run(folder.config, await serve(tooLong));
    expect(status).toBe(2);
    expect(stderr).toMatch(/^switchyard: ClickHouse refused \(code 159\): .*; raise clickhouse\.queryTimeoutMs and start the yard again/);
  });

  it('a server has limits of its own, which our configuration does not set', async () => {
    const { status, stderr } = await run(configWith({ url: await serve(tooLong) }));
    expect(status).toBe(2);
    expect(stderr).toContain('; raise max_execution_time of the user at the server, or ask for less');
    expect(stderr).not.toContain('clickhouse.queryTimeoutMs');
  });

  it('too many queries at a time pass: exit code 3', async () => {
    const { status, stderr } = await run(folder.config, await serve(async () => ({ kind: 'busy', retryAfterSeconds: 1 })));
    expect({ status, stderr }).toMatchObject({ status: 3 });
    expect(stderr).toContain('ClickHouse is busy (code 202)');
  });

  it('sql names the setting, too', async () => {
    const { status, stderr } = await runCli([
      'sql',
      'SELECT * FROM events',
      '--config',
      folder.config,
      '--sql-url',
      await serve(await engine({ resultBytes: 50 })),
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^switchyard: ClickHouse refused the statement \(code 396\): .*; raise clickhouse\.resultBytes and start/);
  });
});
