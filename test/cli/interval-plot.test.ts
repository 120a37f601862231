import { expect, it } from 'vitest';
import { differencePlot } from '../../src/cli/interval-plot.ts';
import { madeUpReport } from '../replay/report-page/made-up-report.ts';

const { candidates } = madeUpReport;

it('draws each candidate beside its figures, by the interval that promises most', () => {
  expect(differencePlot(candidates, 'reward', 100)).toEqual([
    '                                             worse │ better',
    'cheap-first                                        │ ├──●──┤               +0.029 (+0.010 to +0.047)',
    'patient-thompson                             ├─●─┤ │                       -0.024 (-0.037 to -0.011)',
    'even-split                                      ├──┼●───┤                  +0.004 (-0.020 to +0.029)',
    '</title><script>alert("1")<…  ◀────────────────────┼────────────────●───▶  +0.099 (-1.023 to +1.221)',
    'forced-one                                        ├┼─●───┤                 +0.013 (-0.006 to +0.032)',
  ]);
});

it('says on which side less is better, and has a place for what has no interval', () => {
  expect(differencePlot(candidates, 'costUsd', 110)[0]).toMatch(/better │ worse$/);
  const evenSplit = differencePlot(candidates, 'cache', 110)[3];
  expect(evenSplit).toMatch(/^even-split +● +0\.000$/);
});

it('is nothing for a quantity that nobody has, and no wider than it was told', () => {
  expect(differencePlot([], 'reward', 80)).toEqual([]);
  for (const line of differencePlot(candidates, 'reward', 90)) expect(line.length).toBeLessThanOrEqual(90);
});

it('keeps room to draw on the narrowest of terminals', () => {
  const [, first] = differencePlot(candidates.slice(0, 1), 'reward', 10);
  expect(first).toMatch(/^cheap-first  .{21}  \+0\.029/);
});
