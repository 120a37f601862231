import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataOf } from '../../src/events/index.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { append, memoryBus, openShaped, project } from '../support/projection.ts';
import { completed, decided, failed, rewarded } from '../support/projection-events.ts';
import { jsonLines, runCli, testFolder, type TestFolder } from './support/cli.ts';

/** What `arms` asks of ClickHouse, against the real embedded engine behind the real read-only interface. Nothing listens at the address of NATS. */
let dataPath: string;
let clickhouse: Clickhouse;
let server: SqlInterface;
let folder: TestFolder;

type Arm = 'arm-a' | 'arm-b' | 'arm-c';
type Request = {
  readonly arm: Arm;
  readonly p: number;
  readonly success: number;
  readonly latencyMs: number;
  readonly others?: readonly Arm[];
};

const a = (p: number, success: number, latencyMs: number): Request => ({ arm: 'arm-a', p, success, latencyMs });
const b = (p: number, success: number, latencyMs: number): Request => ({ arm: 'arm-b', p, success, latencyMs });

/** The answers of test/domain/comparison/weighted-mean.test.ts as success parts. */
const requests: readonly Request[] = [
  a(0.5, 0.2, 100),
  a(0.1, 0.9, 110),
  a(0.8, 0.4, 120),
  a(0.25, 0.7, 130),
  a(0.4, 1, 190),
  b(0.5, 0.1, 200),
  b(0.9, 0.3, 210),
  b(0.2, 0.35, 220),
  b(0.05, 0.9, 250),
  // Nobody else could have answered: no pair has it.
  { arm: 'arm-b', p: 1, success: 0.5, latencyMs: 300, others: [] },
  { arm: 'arm-c', p: 0.5, success: 0.5, latencyMs: 300, others: ['arm-b'] },
];

const decisionOf = ({ arm, p, others = arm === 'arm-a' ? ['arm-b'] : ['arm-a'] }: Request): Partial<DataOf<'route.decided'>> => ({
  arm,
  model: arm.replace('arm', 'model'),
  propensity: p,
  candidates: [arm, ...others].map((one) => ({
    arm: one,
    model: one.replace('arm', 'model'),
    posterior: null,
    expectedCostNanoUsd: null,
    expectedLatencyMs: null,
    adjustment: 0,
    floor: 0,
    propensity: one === arm ? p : (1 - p) / others.length,
  })),
});

const partsOf = (success: number) => ({ success: Math.round(success * 1e6), streaming: 500_000, cache: 0, cost: 900_000 });

beforeAll(async () => {
  dataPath = mkdtempSync(path.join(tmpdir(), 'yard-arms-'));
  clickhouse = await openShaped(dataPath);
  folder = testFolder();
  const { log } = await (async () => {
    const bus = memoryBus();
    for (const [i, request] of requests.entries()) {
      const { arm, success, latencyMs } = request;
      const by = { arm, model: arm.replace('arm', 'model') };
      const parts = partsOf(success);
      await append(
        bus.log,
        [decided(i, decisionOf(request))],
        [
          completed(i, { ...by, latencyMs, costNanoUsd: arm === 'arm-a' ? 1_000 : 3_000, simulated: i === 0 }),
          rewarded(i, { ...by, parts, rewardMicro: parts.success / 2 }),
        ],
      );
    }
    const none = { success: 0, streaming: 0, cache: 0, cost: 0 };
    const byA = { arm: 'arm-a', model: 'model-a' };
    await append(
      bus.log,
      // Judged later: the last revision counts.
      [rewarded(4, { ...byA, revision: 1, cause: 'feedback', parts: { ...partsOf(1) }, rewardMicro: 500_000 })],
      [decided(20, decisionOf(a(0.5, 0, 0)))],
      [failed(20, { ...byA, costNanoUsd: 1_000 }), rewarded(20, { ...byA, cause: 'failure', parts: none, rewardMicro: 0 })],
      [decided(21, decisionOf(a(0.5, 0, 0)))],
      [failed(21, { ...byA, code: 'cancelled' }), rewarded(21, { ...byA, cause: 'interruption', parts: none, rewardMicro: 0 })],
      [decided(22, decisionOf(a(0.5, 0, 0)))],
    );
    await project(clickhouse, bus);
    return bus;
  })();
  expect((await log.bounds()).last).toBe(2 * requests.length + 6);
  const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
  const answer = await createSandbox({ path: dataPath, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  server = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
});
afterAll(async () => {
  await server.close();
  await clickhouse.close();
  folder.remove();
  rmSync(dataPath, { recursive: true, force: true });
});

const arms = (...args: string[]) => runCli(['arms', '--config', folder.config, '--sql-url', server.url, ...args]);

type Mean = { readonly mean: number; readonly low: number; readonly high: number };

describe('arms, without NATS', () => {
  it('shows what ClickHouse has, and says that no router is live', async () => {
    const { status, stdout, stderr } = await arms('--json');
    expect(stderr).toMatch(/^no router is live; policy and breakers are not known: expected NATS at .*\n$/);
    expect(status).toBe(0);
    const [report] = jsonLines(stdout) as [{ arms: Record<string, Mean>[] }];
    expect(report).toMatchObject({
      decisions: 14,
      confidence: 0.95,
      state: null,
      arms: [
        {
          arm: 'arm-a',
          model: 'model-a',
          requests: 8,
          share: 8 / 14,
          open: 1,
          brokenOff: 1,
          counted: 6,
          failures: 1,
          simulated: 3,
          failureRate: { mean: 1 / 6 },
          status: null,
          breaker: null,
        },
        { arm: 'arm-b', requests: 5, open: 0, failures: 0, costNanoUsd: { mean: 3_000, low: null, high: null }, latencyMsP95: 290 },
        { arm: 'arm-c', requests: 1, reward: { mean: 0.25 }, latencyMs: { mean: 300, low: null, high: null } },
      ],
    });
    const [first, second] = report.arms;
    // The feedback of request 4 counts, the cancelled request does not. The ends are where 6 kl(3.2 / 6, m) = ln 40, by bisection in Python.
    expect(first?.['success']?.mean).toBeCloseTo(3.2 / 6, 12);
    expect(first?.['success']?.low).toBeCloseTo(0.0942672532, 9);
    expect(first?.['success']?.high).toBeCloseTo(0.9341343571, 9);
    // Cost over all that ended, latency over those that were completed.
    expect(first?.['costNanoUsd']?.mean).toBeCloseTo(6_500 / 7, 9);
    expect(first?.['latencyMs']?.mean).toBeCloseTo(130, 9);
    expect(second?.['latencyMs']?.mean).toBeCloseTo(236, 9);
  });

  it('is a table for people', async () => {
    const { stdout } = await arms();
    expect(stdout).toMatch(
      /^arm-a +57\.1 % +8 +0\.267 \(0\.012 to 0\.786\) +0\.533 \(0\.094 to 0\.934\) .* 130 ms \u00b144 ms +178 ms +1 \(16\.7 %\) +-$/m,
    );
    expect(stdout).toContain('14 decisions, 1 of them still open and 1 broken off; means with their 95 % intervals');
    expect(stdout).toContain('simulated models took part');
  });

  it('of a tenant, and of a part of the log', async () => {
    const [range, time] = await Promise.all([
      arms('--json', '--from', '3', '--to', '6'),
      arms('--json', '--to', '2026-01-01T00:00:00.200Z', '--tenant', 'default'),
    ]);
    // Decided in the range: how they ended is known all the same.
    expect(jsonLines(range.stdout)).toMatchObject([{ decisions: 2, arms: [{ arm: 'arm-a', counted: 2, open: 0 }] }]);
    expect(jsonLines(time.stdout)).toMatchObject([{ decisions: 3 }]);
  });

  it.each([
    [['--tenant', "ac'me\\"], '--tenant: expected one of default; got "ac\'me\\"'],
    [['--compare', '--tenant', 'nope'], '--tenant: expected one of default; got "nope"'],
    [['--from', '1h', '--to', '2h'], 'expected --from to be before --to; got --from 2'],
    [['--compare', '--from', '6', '--to', '5'], 'got --from sequence 6 and --to sequence 5'],
  ])('refuses %j', async (args, said) => {
    const { status, stdout, stderr } = await arms(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('says that there is nothing, where there is nothing', async () => {
    const { status, stdout } = await arms('--from', '99999999', '--tenant', 'default');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'no decisions since sequence 99999999 for tenant default\n' });
  });
});

describe('arms --compare', () => {
  it('weighs answers by their propensity, over the requests that both could have answered', async () => {
    const { status, stdout, stderr } = await arms('--compare', '--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    type Side = { difference: number; low: number; high: number; p: number; pAdjusted: number; effective: { second: number } };
    type Report = { pairs: { measures: Record<string, { weighted: Side; plain: Side }> }[] };
    const [report] = jsonLines(stdout) as [Report];
    expect(report).toMatchObject({
      confidence: 0.95,
      leastEffective: 50,
      pairs: [
        { first: 'arm-a', second: 'arm-b', measures: { reward: { answers: { first: 6, second: 4 }, weighted: { isReliable: false } } } },
        { first: 'arm-b', second: 'arm-c', measures: { reward: { answers: { first: 0, second: 1 }, weighted: null, plain: null } } },
      ],
    });
    const { latencyMs, success, costNanoUsd } = report.pairs[0]?.measures ?? {};
    // By numpy and scipy from the answers; the failure, with propensity 0.5, has the success part 0 and no latency.
    expect(success?.weighted.difference).toBeCloseTo(0.0226909273, 9);
    expect(success?.weighted.low).toBeCloseTo(-0.3643746197, 9);
    expect(success?.weighted.p).toBeCloseTo(0.908525268, 9);
    expect(latencyMs?.weighted.difference).toBeCloseTo(115.7282233452, 9);
    expect(latencyMs?.weighted.low).toBeCloseTo(87.7797577495, 9);
    expect(latencyMs?.weighted.effective.second).toBeCloseTo(1.836_752_848, 8);
    // Welch, by scipy; one test of a measure was made, so that nothing is adjusted.
    expect(success?.plain.low).toBeCloseTo(-0.674_735_459_3, 9);
    expect(success?.plain.p).toBeCloseTo(0.624_003_681_7, 9);
    expect(success?.plain.pAdjusted).toBe(success?.plain.p);
    expect(costNanoUsd?.plain.difference).toBeCloseTo(3_000 - 6_500 / 7, 9);
  });

  it('of two arms is in the order that they were asked for, and says in words what was compared', async () => {
    const { status, stdout } = await arms('--compare', 'arm-b', 'arm-a');
    expect(status).toBe(0);
    expect(stdout).toContain('arm-a against arm-b: requests that both could have answered; 4 were by arm-b, 6 by arm-a');
    expect(stdout).toMatch(/^mean latency +240 ms +124 ms +-116 ms \(-144 ms to -88 ms\) +< 0\.0001 +2 \/ 3 ! +-90 ms /m);
    expect(stdout).toMatch(/^cache +0\.000 +0\.000 +\+0\.000 +- /m);
    expect(stdout).toContain('had all these requests been answered by the one arm, or all by the other');
    expect(stdout).toContain('! fewer than 50 effective answers on a side');
    expect(stdout).not.toContain('arm-c');
  });

  it('says so when there is nothing to compare', async () => {
    const none = await arms('--compare', 'arm-a', 'arm-b', '--from', '1000');
    expect(none).toMatchObject({ status: 0, stderr: '' });
    expect(none.stdout).toBe('no request of this period that arm-a and arm-b could have answered, and one of them did\n');
    const unknown = await arms('--compare', 'arm-a', 'arm-z');
    expect(unknown).toMatchObject({ status: 2, stdout: '' });
    expect(unknown.stderr).toContain('--compare: expected arms such as arm-a, arm-b; got "arm-z"');
    expect((await arms('--compare', 'arm-a')).stderr).toContain('--compare: expected two arms, or none for all pairs; got 1');
  });
});
