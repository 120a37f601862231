import { expect, it } from 'vitest';
import { differencePlot } from '../../src/cli/interval-plot.ts';
import { madeUpReport } from '../replay/report-page/made-up-report.ts';

const { candidates } = madeUpReport;

it('draws each candidate beside its figures, by the interval that promises most', () => {
  expect(differencePlot(candidates, 'reward', 100)).toEqual([
    '                                             worse │ better                difference (99 %)',
    'cheap-first                                        │ ├──●──┤               +0.029 (+0.010 to +0.047)',
    'patient-thompson                             ├─●─┤ │                       -0.024 (-0.037 to -0.011)',
    'even-split                                      ├──┼●───┤                  +0.004 (-0.020 to +0.029)',
    '</title><script>alert("1")<…  ◀────────────────────┼────────────────●───▶  +0.1 (-1.0 to +1.2)',
    'always large                                      ├┼─●───┤                 +0.013 (-0.006 to +0.032)',
  ]);
});

it('says on which side less is better, and has a place for what has no interval', () => {
  expect(differencePlot(candidates, 'costUsd', 110)[0]).toMatch(/better │ worse +difference \(99 %\)$/);
  const evenSplit = differencePlot(candidates, 'cache', 110)[3];
  expect(evenSplit).toMatch(/^even-split +● +0\.00 \(not known\)$/);
});

it('is nothing for a quantity that nobody has, and no wider than it was told', () => {
  expect(differencePlot([], 'reward', 80)).toEqual([]);
  for (const line of differencePlot(candidates, 'reward', 90)) expect(line.length).toBeLessThanOrEqual(90);
});

it('keeps room to draw on the narrowest of terminals', () => {
  const [, first] = differencePlot(candidates.slice(0, 1), 'reward', 10);
  expect(first).toMatch(/^cheap-first  .{21}  \+0\.029/);
});

const only = (low: number, value: number, high: number) => {
  const [candidate] = candidates;
  const [of] = candidate!.quantities;
  const interval = { method: 'betting', guarantee: 'anytime', confidence: 0.95, low, high } as const;
  const difference = { ...of!.difference, value, intervals: [interval] };
  const [head, line] = differencePlot([{ ...candidate!, name: 'x', quantities: [{ ...of!, difference }] }], 'reward', 70);
  return { line: line!, zero: head!.indexOf('│') };
};

it.each([
  [-0.1, -0.011, -0.0014, '-0.011 (-0.100 to -0.001)'],
  [-0.1, -0.05, -0.0047, '-0.050 (-0.100 to -0.005)'],
  [-1.2, -0.6, -0.01, '-0.6 (-1.2 to -0.010)'],
  [-0.4, -0.02, -0.0014, '-0.02 (-0.40 to -0.0014)'],
  [0.00002, 0.05, 0.1, '+0.050 (+0.000020 to +0.100)'],
])('keeps what is not zero off zero, in figures and in the drawing: %d, %d, %d', (low, value, high, figures) => {
  const { line, zero } = only(low, value, high);
  expect(line.endsWith(`  ${figures}`)).toBe(true);
  expect(line[zero]).toBe('│');
  expect(line.slice(0, zero).includes('┤')).toBe(value < 0);
});

it('crosses the line for an interval that holds zero by little, and ends on it where it ends at zero', () => {
  const { line, zero } = only(-0.0001, 0.05, 0.1);
  expect(line.slice(zero - 1, zero + 2)).toBe('├┼─');
  const ends = only(0, 0.05, 0.1);
  expect(ends.line[ends.zero]).toBe('┼');
  expect(ends.line).toContain('(0.00 to +0.10)');
});

it('marks a value that lies outside its interval', () => {
  expect(only(0.02, 0.09, 0.06).line).toMatch(/│ +├─+┤ +○ /);
  expect(only(0.02, 0.05, 0.06).line).not.toContain('○');
});
