import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoReport } from '../../src/demo/demo-report.ts';
import { madeUpRows } from './recorded-data.ts';

/** The command itself, with real processes: it has to start a yard, send, wait, count, and leave nothing behind. */
const main = path.join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const rows = 20;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'switchyard-test-demo-'));
  // The first two rows come twice.
  await writeFile(path.join(folder, 'rows.jsonl.gz'), gzipSync(madeUpRows(rows) + madeUpRows(2)));
  const arrivals = Array.from({ length: 10 }, (_, i) => `2023-11-16 18:15:4${i}.5000000,374,44`);
  await writeFile(path.join(folder, 'trace.csv'), ['TIMESTAMP,ContextTokens,GeneratedTokens', ...arrivals].join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const demo = (...flags: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    // Addresses of a yard that is not there: a demo that listened to them would fail.
    const env = {
      ...process.env,
      TMPDIR: folder,
      NATS_URL: 'nats://127.0.0.1:1',
      CLICKHOUSE_URL: 'http://127.0.0.1:1',
      SWITCHYARD_DATA_DIR: '/nowhere',
    };
    execFile(process.execPath, [main, 'demo', ...flags], { env, timeout: 110_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
    });
  });

const reportOf = ({ code, stdout, stderr }: Ended): DemoReport => {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as DemoReport;
};

describe('the demo', () => {
  it.each(['http', 'nats'] as const)('accounts for every request over %s, and leaves nothing behind', async (via) => {
    const report = reportOf(await demo('--data', folder, '--via', via, '--concurrency', '1', '--json'));
    expect(report).toMatchObject({ requests: rows + 2, simulated: false, fromCache: 2, failures: {}, mismatches: [], kept: null });
    const { parity } = report;
    expect(parity).toMatchObject({ sent: 22, answered: 22, failed: 0 });
    expect(parity.log).toMatchObject({
      routed: 20,
      fromCache: 2,
      completed: 22,
      failed: 0,
      rewarded: 22,
      feedback: 20,
      revised: 20,
      twice: 0,
    });
    expect(parity.rows).toMatchObject({ events: parity.log.events, distinct: parity.log.events, duplicates: 0, rewarded: 22 });
    expect(await readdir(folder)).toEqual(expect.not.arrayContaining([expect.stringMatching(/^switchyard-demo-/)]));
  });

  it('shows by SQL what each arm scored and cost, beside what one model alone would have', async () => {
    const report = reportOf(await demo('--data', folder, '--json'));
    const arms = new Map(report.arms.map((arm) => [arm.arm, arm]));
    expect([...arms.keys()].every((arm) => report.models.includes(arm))).toBe(true);
    expect(report.arms.reduce((sum, { requests }) => sum + requests, 0)).toBe(rows + 2);
    const large = arms.get('maker/large-2.0');
    if (large !== undefined && large.judged > 0) expect(large.measuredReward).toBeCloseTo(0.8, 6);
    expect(report.baselines?.map(({ name }) => name)).toEqual(['always maker/small-1.0', 'always maker/large-2.0', 'best of each prompt']);
    expect(report.overall.measuredReward).toBeGreaterThanOrEqual(0.5);
  });

  it('sends as the trace says, and again from its beginning when it is too short', async () => {
    const report = reportOf(await demo('--data', folder, '--trace', path.join(folder, 'trace.csv'), '--speed', '20', '--json'));
    // 22 arrivals, a second apart, 20 times as fast.
    expect(report.elapsedMs).toBeGreaterThan(1_040);
    expect(report.latestMs).not.toBeNull();
    expect(report.mismatches).toEqual([]);
  });

  it('prints tables and the line of parity; without data it says that the models are simulated', async () => {
    const { code, stdout, stderr } = await demo('--limit', '12');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('No --data was given');
    expect(stdout).toContain('simulated: no real model was asked');
    expect(stdout).toMatch(/Parity holds: sent 12; answered \d+.*decided 12 .*rewarded 12;.*duplicates 0/);
  });

  it.each([
    ['a folder that is not there', ['--data', '/nowhere/at/all'], /expected a folder that can be read/],
    ['a speed without a trace', ['--speed', '3'], /--speed: expected --trace/],
    ['a concurrency of nothing', ['--concurrency', '0'], /whole number from 1 to 512/],
  ])('refuses %s in one sentence', async (_, flags, expected) => {
    const { code, stderr } = await demo(...flags);
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('refuses a trace that is none, by its line', async () => {
    const file = path.join(folder, 'bad.csv');
    await writeFile(file, 'TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,1,2\n');
    const { code, stderr } = await demo('--data', folder, '--trace', file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.csv, line 2: expected a time/);
  });
});
