import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { append, memoryBus, openShaped, project } from '../support/projection.ts';
import { decided } from '../support/projection-events.ts';
import { shadowed, skipped } from '../support/shadow-events.ts';
import { jsonLines, runCli, testFolder, type TestFolder } from './support/cli.ts';

/** `shadow` against the real embedded engine behind the real read-only interface. */
let dataPath: string;
let clickhouse: Clickhouse;
let server: SqlInterface;
let folder: TestFolder;

/** Latency: differences of 1, 2, 3, 4 and 7 ms. R: t.test(c(1, 2, 3, 4, 7)) gives 3.4, 0.5414748 to 6.258525. Cost: all alike. */
const differences = [1, 2, 3, 4, 7];

beforeAll(async () => {
  dataPath = mkdtempSync(path.join(tmpdir(), 'yard-shadow-'));
  clickhouse = await openShaped(dataPath);
  folder = testFolder();
  const bus = memoryBus();
  for (let i = 0; i < 10; i++) await append(bus.log, [decided(i)]);
  for (const [i, ms] of differences.entries())
    await append(bus.log, [shadowed(i, { arm: 'arm-a', latencyMs: 100 }, { arm: 'arm-b', latencyMs: 100 + ms, costNanoUsd: 3_000 })]);
  await append(
    bus.log,
    [shadowed(8, { arm: 'arm-b' }, { arm: 'arm-a', simulated: true }, { tenant: 'acme', overrunNanoUsd: 40 })],
    [skipped(9, { budget: 4, cancelled: 1 })],
    [skipped(9, { rate: 2 }, 'acme')],
  );
  await project(clickhouse, bus);
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

const shadow = (...args: string[]) => runCli(['shadow', '--config', folder.config, '--sql-url', server.url, ...args]);

describe('shadow', () => {
  it('compares each pair, with the 95 % interval of the paired difference', async () => {
    const { status, stdout, stderr } = await shadow('--json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [report] = jsonLines(stdout) as [{ pairs: Record<string, number>[] }];
    expect(report).toMatchObject({
      decided: 10,
      shadows: 6,
      costNanoUsd: 16_000,
      overrunNanoUsd: 40,
      skipped: { noSecondArm: 0, cancelled: 1, concurrency: 0, rate: 2, budget: 4, draining: 0, unavailable: 0 },
      pairs: [
        {
          deliveredArm: 'arm-a',
          shadowArm: 'arm-b',
          requests: 5,
          deliveredFailed: 0,
          shadowFailed: 0,
          bothCompleted: 5,
          deliveredLatencyMs: 100,
          shadowLatencyMs: 103.4,
          deliveredCostNanoUsd: 1_000,
          shadowCostNanoUsd: 3_000,
          costNanoUsdDifference: 2_000,
          // All differences are alike: there is nothing to estimate their spread from.
          costNanoUsdLow: null,
          deliveredScore: null,
          meanSimilarity: 0.5,
          simulated: 0,
        },
        // One request has no interval.
        {
          deliveredArm: 'arm-b',
          shadowArm: 'arm-a',
          requests: 1,
          latencyMsDifference: 0,
          latencyMsLow: null,
          latencyMsHigh: null,
          simulated: 1,
        },
      ],
    });
    const [pair] = report.pairs;
    expect(pair?.['latencyMsDifference']).toBeCloseTo(3.4, 9);
    expect(pair?.['latencyMsLow']).toBeCloseTo(0.541_474_8, 6);
    expect(pair?.['latencyMsHigh']).toBeCloseTo(6.258_525, 6);
  });

  it('is a table for people, and says what was left out', async () => {
    const { stdout } = await shadow();
    expect(stdout).toMatch(
      /^arm-a +arm-b +5 +0 \/ 0 +100 ms \/ 103 ms +\+3\.4 ms \(\+0\.5 ms to \+6\.3 ms\) +20 ms \/ 20 ms +\$0\.000001 \/ \$0\.000003 +\+\$0\.000002 +0\.50$/m,
    );
    expect(stdout).toContain('6 shadows of 10 decisions (60.0 %), $0.000016, of it $4e-8 beyond what was reserved');
    expect(stdout).toMatch(
      /^13 were due by shadow\.share; not made:\n\nreason +shadows +of those due +by\nbudget +4 +30\.8 % +shadow\.budgetUsdPerHour\nrate +2 +15\.4 % +shadow\.perSecond\ncancelled +1 +7\.69 % +the caller went away\n\(made\) +6 +46\.2 %$/m,
    );
    expect(stdout).toContain('simulated models took part');
  });

  it('of a tenant, and of a part of the log', async () => {
    const [range, time] = await Promise.all([
      shadow('--json', '--from', '11', '--to', '13'),
      shadow('--json', '--to', '2026-01-01T00:00:00.200Z', '--tenant', 'default'),
    ]);
    expect(jsonLines(range.stdout)).toMatchObject([{ decided: 0, shadows: 3, skipped: { budget: 0 } }]);
    expect(jsonLines(time.stdout)).toMatchObject([{ decided: 3, shadows: 3, skipped: { budget: 0 } }]);
    // Not in the configuration any more: its events are still there.
    expect(jsonLines((await shadow('--json', '--tenant', 'acme')).stdout)).toMatchObject([{ shadows: 1, skipped: { rate: 2, budget: 0 } }]);
  });

  it.each([
    [['--tenant', "ac'me\\"], '--tenant: expected one of default; got "ac\'me\\"'],
    [['--tenant', 'defualt'], 'perhaps "default" is meant'],
    [['--from', '1h', '--to', '2h'], 'expected --from to be before --to; got --from 2'],
    [['--from', '13', '--to', '12'], 'expected --from to be before --to; got --from sequence 13 and --to sequence 12'],
  ])('refuses %j', async (args, said) => {
    const { status, stdout, stderr } = await shadow(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  it('says that there is nothing, where there is nothing', async () => {
    const { status, stdout } = await shadow('--from', '99999999');
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'no decisions since sequence 99999999\n' });
  });
});
