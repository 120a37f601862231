import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { sequence } from '../../src/events/index.ts';
import type { PolicySpecInput } from '../../src/events/schemas/policy.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { readLogHeader } from '../../src/replay/interchange/read-log.ts';
import { writeLog } from '../../src/replay/interchange/write-log.ts';
import type { EvaluationReport } from '../../src/replay/report.ts';
import { decidedLog, isDecision, yardConfig } from '../replay/support/decided-log.ts';
import { inPages, madeUpLog } from '../replay/support/made-up-log.ts';
import { recordsOf, slotRecord } from '../replay/interchange/support/records.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { openShaped, project, testFolder as dataFolder } from '../support/projection.ts';
import { runCli, stackTrace, testFolder, type TestFolder } from './support/cli.ts';

/** `evaluate` over a log that real routers made, in a real nats-server and a real engine. */
let nats: TestNats;
let clickhouse: Clickhouse;
let data: Awaited<ReturnType<typeof dataFolder>>;
let sql: SqlInterface;
let folder: TestFolder;
let decisions = 0;
let last = 0;

beforeAll(async () => {
  const made = await decidedLog(60);
  nats = await startTestNats();
  const bus = await connectTestBus(nats.url);
  for await (const entry of made.log.read({ from: sequence(1) }))
    if (entry.kind === 'events') {
      await bus.log.append(entry.events, { idempotencyId: `copy-${++last}` });
      decisions += entry.events.filter(isDecision).length;
    }
  data = await dataFolder();
  clickhouse = await openShaped(data.path);
  await project(clickhouse, bus);
  await bus.close();
  const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e8 };
  const answer = await createSandbox({ path: data.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
  folder = testFolder({ ...yardConfig, nats: { url: nats.url } });
}, 120_000);

afterAll(async () => {
  await sql.close();
  await clickhouse.close();
  await data.remove();
  await nats.stop();
  folder.remove();
});

const policyFile = (name: string, policy: PolicySpecInput): string => {
  const file = path.join(path.dirname(folder.config), name);
  writeFileSync(file, stringify(policy));
  return file;
};
const evaluate = (...args: readonly string[]) =>
  runCli(['evaluate', '--config', folder.config, '--sql-url', sql.url, '--resamples', '50', ...args]);
const reportOf = async (...args: readonly string[]): Promise<EvaluationReport> => {
  const { stdout, stderr } = await evaluate('--json', ...args);
  expect(stderr).not.toMatch(stackTrace);
  return JSON.parse(stdout) as EvaluationReport;
};
const always = (arm: string) => policyFile(`${arm}.yaml`, { kind: 'static', id: `always-${arm}`, floor: 0, shares: { [arm]: 1 } });

describe('./switchyard evaluate', () => {
  it('tells what other policies would have earned, and the command that says the same again', async () => {
    const report = await reportOf('--policy', always('a'), '--policy', always('c'), '--force');
    expect(report.counts.read).toBe(decisions);
    expect(report.candidates.map(({ name, method }) => [name, method.name])).toEqual([
      ['always-a', 'fixed'],
      ['always-c', 'fixed'],
    ]);
    expect(report.candidates[0]?.quantities.map(({ quantity }) => quantity)).toContain('latencyMs');
    const [, ...words] = report.command.split(' ');
    const again = await reportOf(...words.slice(1).filter((word, i, all) => word !== '--resamples' && all[i - 1] !== '--resamples'));
    expect({ ...again, madeAt: '' }).toEqual({ ...report, madeAt: '' });
    const { stdout, status } = await evaluate('--policy', always('a'), '--force', '--all');
    expect(status).toBe(0);
    expect(stdout).toContain('switch-dr_5');
    expect(stdout).toContain("p by Student's interval at one look, adjusted");
    expect(stdout).toContain('warning: ');
  });

  it.each(['doubly-robust-replay', 'rejection-replay'])('lets a policy that learns decide again: %s', async (method) => {
    const thompson = policyFile('thompson.yaml', { kind: 'beta-bernoulli-thompson', id: 'plain-thompson' });
    const report = await reportOf('--policy', thompson, '--policy', always('b'), '--nats-url', nats.url, '--learning', method, '--force');
    expect(report.candidates.map((candidate) => candidate.method.name)).toEqual([method, 'fixed']);
    const { stdout } = await evaluate('--policy', thompson, '--nats-url', nats.url, '--learning', method, '--force');
    expect(stdout).toMatch(method === 'rejection-replay' ? /^plain-thompson: .*its own draw agrees/m : /^plain-thompson: .*whoever chose/m);
    expect((await evaluate('--policy', thompson, '--force')).stdout).toMatch(
      /^plain-thompson: frozen as of 20.*; --learning evaluates it/m,
    );
    const [learning] = report.candidates;
    expect(learning?.diagnostics.effectiveRecords).toBeGreaterThan(0);
    expect(learning?.diagnostics.unsupported).toBeLessThan(0.05);
    // Three arms, each with a floor of 1 %.
    if (method === 'doubly-robust-replay') expect(learning?.diagnostics.neverChosen).toBe(0);
  });

  it('refuses where the log says too little, with exit code 1, and writes the page', async () => {
    const page = path.join(path.dirname(folder.config), 'report.html');
    const { stdout, status } = await evaluate('--policy', always('c'), '--from', String(last - 40), '--html', page);
    expect(status).toBe(1);
    expect(stdout).toContain('refused: No conclusion about always-c');
    // Student's p at one look beside a verdict at all times would contradict it.
    expect(stdout).not.toMatch(/adjusted/);
    expect(existsSync(page) && readFileSync(page, 'utf8')).toContain('always-c');
  });

  it('what if: other weights and prices', async () => {
    const plain = await reportOf('--policy', always('a'), '--force');
    const report = await reportOf('--policy', always('a'), '--force', '--reward', 'success=.5,cost=.5', '--price', 'a=0/0');
    const costOf = ({ candidates }: EvaluationReport) =>
      candidates[0]?.quantities.find(({ quantity }) => quantity === 'costUsd')?.estimates.find(({ estimator }) => estimator === 'snipw')
        ?.value;
    expect(costOf(plain)).toBeGreaterThan(0);
    expect(costOf(report)).toBe(0);
    expect(report.settings.weights).toEqual({ success: 0.5, streaming: 0, cache: 0, cost: 0.5 });
  });

  it('evaluates a file, and asks no yard', async () => {
    const file = path.join(path.dirname(folder.config), 'log.jsonl');
    const origin = { source: 'made up', period: { from: null, to: null }, tenant: null, weights: null };
    await writeLog(file, origin, inPages(madeUpLog({ size: 500, seed: 'file', logger: () => [0.4, 0.3, 0.3] }))());
    const { stdout, status } = await runCli(['evaluate', '--policy', 'uniform', '--file', file, '--resamples', '20', '--json']);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as EvaluationReport).counts.evaluated).toBe(500);
    const mistaken = (...args: readonly string[]) =>
      runCli(['evaluate', '--policy', 'uniform', '--file', file, '--resamples', '20', ...args]);
    expect(await mistaken('--price', 'nosuch=1/2')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--price: expected an arm such as') as string,
    });
    const without = path.join(path.dirname(folder.config), 'without-tokens.jsonl');
    await writeLog(without, origin, [recordsOf(8, slotRecord)]);
    expect(await mistaken('--price', '1=1/2', '--file', without)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--price: expected records with tokens') as string,
    });
    const two = path.join(path.dirname(folder.config), 'two.json');
    writeFileSync(
      two,
      JSON.stringify({
        positions: 2,
        items: 3,
        probabilities: [
          [0.4, 1],
          [0.3, 0],
          [0.3, 0],
        ],
        arms: ['a', 'b', 'c'],
      }),
    );
    const { stderr } = await runCli(['evaluate', '--policy', two, '--file', file, '--resamples', '20', '--json']);
    expect(stderr).toContain('two.json: has 2 positions, the records have 1');
  });

  it('says of an exported log the same as of the log itself, its floor known', async () => {
    const file = path.join(path.dirname(folder.config), 'exported.jsonl');
    const exported = await runCli([
      'export',
      '--config',
      folder.config,
      '--sql-url',
      sql.url,
      '--format',
      'jsonl',
      '--out',
      file,
      '--force',
    ]);
    expect(exported.status).toBe(0);
    const header = await readLogHeader(file);
    expect(header.largestWeight).toBeGreaterThan(1);
    const live = await reportOf('--policy', always('a'), '--force');
    const fromFile = await reportOf('--policy', always('a'), '--force', '--file', file);
    const intervals = ({ candidates }: EvaluationReport) => candidates[0]?.quantities.map(({ difference }) => difference.intervals);
    expect(intervals(fromFile)).toEqual(intervals(live));
    // A bound that the records contradict is told, and not used.
    const lines = readFileSync(file, 'utf8').split('\n').slice(1);
    writeFileSync(file, [JSON.stringify({ ...header, largestWeight: 1.01 }), ...lines].join('\n'));
    const { stderr } = await evaluate('--policy', always('a'), '--force', '--json', '--file', file);
    expect(stderr).toContain('the floors in force promise no probability below 0.990');
  });

  it.each([
    [['--policy', 'nowhere.yaml'], 'expected a file that can be read'],
    [['--policy', 'A', '--policy', 'A'], 'got "always-a" twice'],
    [['--policy', 'A', '--from', '4000000'], 'expected decisions in the period'],
    [['--policy', 'A', '--tenant', 'nobody'], 'expected decisions in the period of the tenant "nobody"'],
    [['--policy', 'A', '--reward', 'success=.4'], 'Expected weights that sum to 1, got 0.4'],
    [['--policy', 'A', '--price', 'zz=1/2'], '--price: expected an arm such as a, b, c; got "zz"'],
    [['--policy', 'A', '--file', 'x.jsonl', '--learning'], '--learning: expected a log of the yard'],
    [['--policy', 'A', '--from', '90000', '--to', '5'], 'expected --from to be before --to; got --from sequence 90000 and --to sequence 5'],
    [['--policy', 'A', '--html', '/nope/x.html'], '/nope: expected a folder to write to, got none of that name'],
    [['--policy', 'A', '--campaign', 'men'], '--campaign: expected together with --file'],
  ])('a mistake is one sentence: %j', async (args, sentence) => {
    const { stderr, status, stdout } = await evaluate(...args.map((word) => (word === 'A' ? always('a') : word)));
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(stackTrace);
  });
});
