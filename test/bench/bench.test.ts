import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../bench/report.ts';

/** Each benchmark in small, as the command runs it. What it measures says nothing here; that it measures, counts and cleans up does. */
const main = path.join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'switchyard-test-bench-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const bench = (...flags: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const env = { ...process.env, TMPDIR: folder };
    execFile(process.execPath, [main, 'bench', ...flags], { env, timeout: 170_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
    });
  });

const reportOf = ({ code, stdout, stderr }: Ended): BenchReport => {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as BenchReport;
};

const markOf = (report: BenchReport, name: RegExp) => report.marks.find((mark) => name.test(mark.name));

describe('the benchmark', { timeout: 180_000 }, () => {
  it('overhead counts every request in the log and in ClickHouse, and says what it did not measure', async () => {
    const out = path.join(folder, 'overhead.json');
    const report = reportOf(await bench('overhead', '--scale', '0.02', '--no-peers', '--json', '--out', out));
    expect(markOf(report, /parity/)?.value).toBe(0);
    expect(markOf(report, /added at the median/)?.value).toBeGreaterThan(0);
    expect(markOf(report, /lag/)?.value).toBeLessThan(60);
    expect(markOf(report, /Portkey/)?.value).toBeNull();
    expect(report.notMeasured[0]).toContain('--no-peers');
    expect(report.machine).toMatchObject({ node: process.version });
    expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(report);
    expect(await readdir(folder)).toEqual(['overhead.json']);
  });

  it('projection compares the projector with raw inserts of as many rows', async () => {
    const report = reportOf(await bench('projection', '--scale', '0.02', '--json'));
    expect(report.settings).toMatchObject({ requests: 1_200, messages: 2_400, rows: 4_800 });
    expect(markOf(report, /share of raw inserts/)?.value).toBeGreaterThan(0);
  });

  it('rebuild comes to the same state in every way', async () => {
    const report = reportOf(await bench('rebuild', '--scale', '0.002', '--json'));
    expect(markOf(report, /differ/)?.value).toBe(0);
    expect(markOf(report, /missing in it/)?.value).toBe(0);
    expect(report.tables[0]?.rows[0]?.slice(3, 5)).toEqual([20_000, 99]);
    const rows = report.tables[1]?.rows ?? [];
    expect(rows.map((row) => row.slice(3))).toEqual([
      [2_040, 2_040],
      [2_040, 2_040],
      [2_040, 2_040],
    ]);
  });

  it('of another name is refused with the names that there are', async () => {
    const { code, stderr } = await bench('speed');
    expect(code).toBe(2);
    expect(stderr).toMatch(/overhead, projection, rebuild/);
  });
});
