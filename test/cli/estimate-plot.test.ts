import { expect, it } from 'vitest';
import { estimatePlot } from '../../src/cli/estimate-plot.ts';

const format = (value: number): string => value.toFixed(2);

it('marks points outside their intervals, and draws no interval where none is known', () => {
  const [axis, ...lines] = estimatePlot(
    [
      { label: 'inside', value: 0.5, low: 0.4, high: 0.6 },
      { label: 'beside', value: 0.2, low: 0.4, high: 0.6 },
      { label: 'alone', value: 0.5, low: null, high: null },
      { label: 'open', value: 0.5, low: 0.4, high: null },
    ],
    { width: 60, format },
  );
  expect(axis).toMatch(/^ +0\.18 +0\.62$/);
  expect(lines[0]).toMatch(/^inside +\|-+\*-+\|$/);
  expect(lines[1]).toMatch(/^beside +o +\|-+\|$/);
  expect(lines[2]).toMatch(/^alone +\*$/);
  expect(lines[3]).toMatch(/^open +\|-+\*-+>$/);
});
