import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { sequence } from '../../src/events/index.ts';
import type { PolicySpecInput } from '../../src/events/schemas/policy.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { readLogHeader } from '../../src/replay/interchange/read-log.ts';
import { writeLog } from '../../src/replay/interchange/write-log.ts';
import type { EvaluationReport } from '../../src/replay/evaluation/report.ts';
import { decidedLog, isDecision, yardConfig } from '../replay/support/decided-log.ts';
import { inPages, madeUpLog } from '../replay/support/made-up-log.ts';
import { recordsOf, requestRecord, slotRecord } from '../replay/interchange/support/records.ts';
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
});

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

  it('with --every-arm tells the regret against the best arm alone, of the log and of a file', async () => {
    const report = await reportOf('--every-arm', '--policy', always('b'), '--force');
    expect(report.candidates.map(({ name, kind }) => [name, kind])).toEqual([
      ['always-b', 'static'],
      ...['a', 'b', 'c'].map((arm) => [`always ${arm}`, 'single-arm']),
    ]);
    // Three of four share the error: all of them hold together with 1 - 3 / 4 of it.
    expect(report.regret).toMatchObject({ arms: 3, seldomThere: 0 });
    expect(report.regret?.intervals[0]?.confidence).toBeCloseTo(1 - (0.05 * 3) / 4, 12);
    expect(report.traffic).toEqual({ answeredFromCache: expect.any(Number) as number, shadowed: [] });
    expect(report.division.arms.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(report.command).toContain(' --every-arm ');
    const page = path.join(path.dirname(folder.config), 'regret.html');
    const { stdout } = await evaluate('--every-arm', '--force', '--html', page);
    // What it comes to is another each time, as these are real routers' decisions; regret.test.ts has the sentences.
    expect(stdout).toMatch(/^regret: .*reward a request.* anytime, 95 %.* against the best of 3 single arms/m);
    expect(stdout).toMatch(/^share of the decisions +as logged$/m);
    expect(readFileSync(page, 'utf8')).toContain('id="regret"');

    const file = path.join(path.dirname(folder.config), 'arms.jsonl');
    const origin = { source: 'made up', period: { from: null, to: null }, tenant: null, weights: null };
    await writeLog(file, origin, inPages(madeUpLog({ size: 500, seed: 'arms', logger: () => [0.4, 0.3, 0.3] }))());
    const ofFile = await reportOf('--every-arm', '--file', file);
    expect(ofFile.regret).toMatchObject({ arms: 3 });
    expect(ofFile.traffic).toBeNull();
    const many = path.join(path.dirname(folder.config), 'many-arms.jsonl');
    await writeLog(
      many,
      origin,
      inPages(
        madeUpLog({
          size: 99,
          seed: 'many',
          logger: () => [1, 0, 0],
          change: (one, i) => ({ ...one, arm: `arm-${i % 33}`, candidates: null }),
        }),
      )(),
    );
    expect(await evaluate('--every-arm', '--file', many)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--every-arm: expected at most 32 arms, got 33') as string,
    });
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
      stderr: expect.stringContaining('--price, --prices: expected an arm such as') as string,
    });
    const without = path.join(path.dirname(folder.config), 'without-tokens.jsonl');
    await writeLog(without, origin, [recordsOf(8, slotRecord)]);
    expect(await mistaken('--price', '1=1/2', '--file', without)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--price, --prices: expected records with tokens') as string,
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
    expect(stderr).toContain('two.json: what it says of position 2 is not used, as no record has it');
  });

  it('says what is wrong with a file in a sentence that names it', async () => {
    const at = (name: string) => path.join(path.dirname(folder.config), name);
    const origin = { source: 'made up', period: { from: null, to: null }, tenant: null, weights: null };
    const uniform = (file: string, policy = 'uniform') => runCli(['evaluate', '--policy', policy, '--file', at(file), '--json']);
    await writeLog(at('kinds.jsonl'), origin, [[slotRecord(0), { ...requestRecord(1), arm: 'small', candidates: null }]]);
    expect(await uniform('kinds.jsonl')).toEqual({
      status: 2,
      signal: null,
      stdout: '',
      stderr: `switchyard: ${at('kinds.jsonl')}: expected records of one kind, the first is a slot; got a request, acme/request-1\n`,
    });
    await writeLog(at('slots.jsonl'), origin, [recordsOf(8, (i) => ({ ...slotRecord(i), arm: '\u001b[31mred' }))]);
    writeFileSync(at('strangers.json'), JSON.stringify([[0.5], [0.5]]));
    const { status, stderr } = await uniform('slots.jsonl', at('strangers.json'));
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: `switchyard: ${at('strangers.json')}: expected arms of the records, such as red; got 0, 1\n`,
    });
    const text = readFileSync(at('slots.jsonl'), 'utf8').split('\n');
    writeFileSync(
      at('nan.jsonl'),
      text.map((line, i) => (i === 3 ? line.replace('"propensity":0.25', '"propensity":NaN') : line)).join('\n'),
    );
    const nan = await uniform('nan.jsonl');
    expect(nan.status).toBe(2);
    expect(nan.stderr).toMatch(/nan\.jsonl:4: expected a line of JSON, got .*: .*NaN/);
    expect(nan.stderr).not.toMatch(stackTrace);
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
    const bounded = await evaluate('--policy', always('a'), '--force', '--json', '--file', file);
    expect((JSON.parse(bounded.stdout) as EvaluationReport).warnings[0]).toMatchObject({
      code: 'bound_lost',
      what: expect.stringContaining('the floors in force promise no probability below 0.990') as string,
    });
  });

  it('takes the arms as they were in the period, and says what was configured since', async () => {
    const { arms = [], models = [] } = yardConfig;
    const [cheap] = models;
    const later = testFolder({
      ...yardConfig,
      nats: { url: nats.url },
      models: models.map((one, i) => (i === 2 ? { ...one, price: cheap?.price } : one)) as typeof models,
      arms: [...arms.map((arm) => (arm.id === 'b' ? { ...arm, enabled: false } : arm)), { id: 'd', model: 'sim-a' }],
    });
    try {
      const even = policyFile('even.yaml', { kind: 'static', id: 'even', shares: { a: 0.5, b: 0.5 } });
      const figures = ({ candidates: [candidate], division }: EvaluationReport) => ({ ...candidate, division });
      const asked = async (policy: string) => {
        const { stdout } = await evaluate('--json', '--force', '--config', later.config, '--policy', policy);
        return JSON.parse(stdout) as EvaluationReport;
      };
      const changed = await asked(even);
      expect(figures(changed)).toEqual(figures(await reportOf('--policy', even, '--force')));
      expect(changed.command).toContain(`--config ${later.config}`);
      expect(changed.warnings[0]).toMatchObject({
        code: 'arms_changed',
        what: 'arms are configured otherwise than at the end of the period: b (disabled), c (another price), d (added)',
      });
      const added = await asked(policyFile('added.yaml', { kind: 'static', id: 'added', shares: { a: 0.9, d: 0.1 } }));
      expect(added.candidates[0]?.diagnostics.unsupported).toBeGreaterThan(0.05);
    } finally {
      later.remove();
    }
  });

  it('says of a log that went out and came back in the Open Bandit form the same to 1e-12', async () => {
    const at = (name: string) => path.join(path.dirname(folder.config), name);
    const exported = (format: string, out: string) =>
      runCli(['export', '--config', folder.config, '--sql-url', sql.url, '--format', format, '--out', at(out), '--force']);
    expect((await exported('jsonl', 'round.jsonl')).status).toBe(0);
    expect((await exported('openbandit', 'round')).status).toBe(0);
    const [log, items] = [at('round/bts/all/all.csv'), at('round/bts/all/item_context.csv')];
    const imported = await runCli(['import', log, '--format', 'openbandit', '--item-context', items, '--out', at('back.jsonl'), '--force']);
    expect(imported.status, imported.stderr).toBe(0);
    const shares = { a: 0.5, b: 0.3, c: 0.2 };
    const policy = policyFile('half.yaml', { kind: 'static', id: 'half', floor: 0, shares });
    writeFileSync(
      at('half.json'),
      JSON.stringify({ positions: 1, items: 3, probabilities: Object.values(shares).map((p) => [p]), arms: Object.keys(shares) }),
    );
    const valuesOf = (report: EvaluationReport) =>
      report.candidates[0]?.quantities.find(({ quantity }) => quantity === 'reward')?.estimates.filter(({ tunedBy }) => tunedBy === null) ??
      [];
    const bare = ['--force', '--reward-model', 'none'];
    const there = await reportOf('--policy', policy, '--file', at('round.jsonl'), ...bare);
    const back = await reportOf('--policy', at('half.json'), '--file', at('back.jsonl'), ...bare);
    expect(back.counts.evaluated).toBe(there.counts.evaluated);
    expect(valuesOf(there).length).toBeGreaterThan(5);
    for (const [i, { estimator, value }] of valuesOf(there).entries()) {
      expect(valuesOf(back)[i]?.estimator).toBe(estimator);
      expect(Math.abs((valuesOf(back)[i]?.value ?? NaN) - value), estimator).toBeLessThan(1e-12);
    }
    // Computed from the file by itself, as whoever reads it would.
    const rows = parse(readFileSync(log, 'utf8'), { columns: true }) as unknown as readonly Readonly<Record<string, string>>[];
    const names = new Map(
      (parse(readFileSync(items, 'utf8'), { columns: true }) as unknown as readonly Readonly<Record<string, string>>[]).map((one) => [
        one['item_id'],
        one['arm'] as keyof typeof shares,
      ]),
    );
    const weighed = rows.map((row) => ({
      w: shares[names.get(row['item_id']) ?? 'a'] / Number(row['propensity_score']),
      r: Number(row['click']),
    }));
    const sum = (values: readonly number[]) => values.reduce((total, one) => total + one, 0);
    const ipw = sum(weighed.map(({ w, r }) => w * r)) / rows.length;
    const expected = { ipw, snipw: (ipw * rows.length) / sum(weighed.map(({ w }) => w)) };
    for (const [name, value] of Object.entries(expected))
      expect(valuesOf(there).find(({ estimator }) => estimator === name)?.value, name).toBeCloseTo(value, 12);
  });

  it('takes prices from a file, and says them in the command', async () => {
    const prices = path.join(path.dirname(folder.config), 'prices.yaml');
    writeFileSync(
      prices,
      stringify({
        a: { inputUsdPerMillionTokens: 1e-7, outputUsdPerMillionTokens: 3 },
        b: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 },
      }),
    );
    const report = await reportOf('--policy', always('a'), '--force', '--prices', prices, '--price', 'b=5/6');
    expect(report.settings.prices).toEqual({
      a: { inputUsdPerMillionTokens: 1e-7, outputUsdPerMillionTokens: 3 },
      b: { inputUsdPerMillionTokens: 5, outputUsdPerMillionTokens: 6 },
    });
    expect(report.command).toContain('--price a=1e-7/3 --price b=5/6');
    const single = await reportOf('--policy', always('a'), '--force', '--price', 'a=1e-7/3', '--price', 'b=5/6');
    expect({ ...report, madeAt: '' }).toEqual({ ...single, madeAt: '' });
    const plain = await reportOf('--policy', always('a'), '--force');
    expect(report.candidates[0]?.quantities).not.toEqual(plain.candidates[0]?.quantities);
    writeFileSync(prices, 'zz: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 }');
    expect(await evaluate('--policy', always('a'), '--prices', prices)).toMatchObject({
      status: 2,
      stderr: 'switchyard: --price, --prices: expected an arm such as a, b, c; got "zz"\n',
    });
    writeFileSync(prices, 'a: 3');
    const { stderr, status } = await evaluate('--policy', always('a'), '--prices', prices);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^switchyard: The price list has one mistake \(.*prices\.yaml\):\n {2}a \(line 1\): expected a group of keys, got 3\n$/,
    );
  });

  it('says of a policy that learns, in a file, what a file can', async () => {
    const file = path.join(path.dirname(folder.config), 'learns.jsonl');
    await runCli(['export', '--config', folder.config, '--sql-url', sql.url, '--format', 'jsonl', '--out', file, '--force']);
    const thompson = policyFile('learns.yaml', { kind: 'beta-bernoulli-thompson', id: 'learns' });
    const [candidate] = (await reportOf('--policy', thompson, '--force', '--file', file)).candidates;
    expect(candidate?.method.why).toContain('A file does not hold what it would learn from');
    expect(candidate?.method.why).not.toContain('--learning');
    const [live] = (await reportOf('--policy', thompson, '--force')).candidates;
    expect(live?.method.why).toContain('--learning evaluates it as it learns');
  });

  it.each([
    [[], 'expected --policy <file>, --every-arm, or both; got neither'],
    [['--policy', 'nowhere.yaml'], 'expected a file that can be read'],
    [['--policy', 'A', '--policy', 'A'], 'got "always-a" twice'],
    [['--policy', 'A', '--from', '4000000'], 'expected decisions of the current log in the period'],
    [['--policy', 'A', '--tenant', 'nobody'], 'expected decisions of the current log in the period of the tenant "nobody"'],
    [['--policy', 'A', '--reward', 'success=.4'], 'Expected weights that sum to 1, got 0.4'],
    [['--policy', 'A', '--price', 'zz=1/2'], '--price, --prices: expected an arm such as a, b, c; got "zz"'],
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
