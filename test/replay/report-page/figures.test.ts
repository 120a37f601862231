import { describe, expect, it } from 'vitest';
import { cutTo, rangeOf } from '../../../src/replay/report-page/chart-range.ts';
import { confidenceText, endsText, errorOf, rounded, scaleByError, scaleOf, timeText } from '../../../src/replay/report-page/figures.ts';
import { shortened, thinned } from '../../../src/replay/report-page/charts/draw-chart.ts';
import { usedBins, weightsChart } from '../../../src/replay/report-page/charts/weights-chart.ts';
import type { Interval } from '../../../src/replay/evaluation/report.ts';
import { html } from '../../../src/replay/report-page/html.ts';

describe('a scale', () => {
  it('has the digits that the typical interval leaves certain', () => {
    const { plain, signed } = scaleOf('reward', [0.73124], [{ low: 0.7201, high: 0.7423 }]);
    expect([plain(0.73124), signed(0.0294), signed(-0.0294), signed(-0.00001), plain(0)]).toEqual([
      '0.731',
      '+0.029',
      '−0.029',
      '−0.000010',
      '0.000',
    ]);
  });
  it('is not led astray by one interval that is a point', () => {
    const point = { low: 0.5, high: 0.5 + 1e-15 };
    const { plain } = scaleOf('reward', [0.5], [point, { low: 0.4, high: 0.6 }, { low: 0.41, high: 0.61 }]);
    expect(plain(0.5)).toBe('0.50');
  });
  it('goes by the values where there is no interval, and by nothing where there are none', () => {
    expect(scaleOf('costUsd', [0.0000231], []).plain(0.0000231)).toBe('$0.0000231');
    expect(scaleOf('latencyMs', [12_345.6], []).plain(12_345.6)).toBe('12,346\u00a0ms');
    expect(scaleOf('failureRate', [], []).plain(0)).toBe('0\u00a0%');
    expect(scaleOf('reward', [0], [{ low: null, high: 1 }]).signed(0)).toBe('0.00');
  });
  it('never shows as 0 what is not, but for the remainders of binary fractions', () => {
    const { plain, signed } = scaleOf('reward', [-0.05], [{ low: -0.1, high: -0.0014 }]);
    expect([-0.1, -0.0014, -0.0047, -3e-9, 1e-17].map(signed)).toEqual(['−0.100', '−0.001', '−0.005', '−3e-9', '0.000']);
    expect([-0.0004, -1e-17, 0].map(plain)).toEqual(['−0.00040', '0.000', '0.000']);
  });
  it('gives each cost three digits, however wide its interval', () => {
    const wide = [{ low: 0.000002, high: 0.0001 }];
    const { signed } = scaleOf('costUsd', [0.000015], wide);
    expect([0.000015, 0.000002, 0.0001].map(signed)).toEqual(['+$0.0000150', '+$0.0000020', '+$0.0001000']);
    expect(scaleByError('costUsd', 0.000561, 0.00031).plain(0.000561)).toBe('$0.000561');
    expect(scaleByError('costUsd', 1e-9, 0.001).plain(1e-9)).toBe('$0.0000000010');
  });
  it('takes the error from an interval of any level', () => {
    const at = (confidence: number, half: number): Interval => ({
      method: 'student',
      confidence,
      low: 1 - half,
      high: 1 + half,
      guarantee: 'fixed-size',
    });
    expect(errorOf([at(0.95, 1.96)])).toBeCloseTo(1, 3);
    expect(errorOf([at(0.8, 1.2816)])).toBeCloseTo(1, 3);
    expect(errorOf([])).toBeNull();
  });
  it('shows failures in percent, and their differences in points', () => {
    const { plain, signed } = scaleOf('failureRate', [0.031], [{ low: 0.02, high: 0.042 }]);
    expect([plain(0.031), signed(0.031)]).toEqual(['3.1\u00a0%', '+3.1\u00a0points']);
  });
});

describe('figures', () => {
  it.each([
    [0.95, '95\u00a0%'],
    [1 - 0.05 / 3, '98.3\u00a0%'],
    [0.99995, '99.995\u00a0%'],
    [1 - 0.05 / 1_000, '99.995\u00a0%'],
  ])('never round a confidence of %d up to certainty', (confidence, said) => {
    expect(confidenceText(confidence)).toBe(said);
  });
  it('say which end is missing', () => {
    const ends = [
      { low: 1, high: 2 },
      { low: null, high: 2 },
      { low: 1, high: null },
      { low: null, high: null },
    ];
    expect(ends.map((interval) => endsText(interval, String))).toEqual(['1 to 2', 'up to 2', '1 or more', 'not known']);
  });
  it('keep all digits before the point', () => {
    expect([0.012345, 1, 62.54, 18_331.4].map(rounded)).toEqual(['0.0123', '1', '62.5', '18,331']);
  });
  it('show times without what says nothing', () => {
    expect(timeText('2026-05-01T09:12:00.123Z')).toBe('2026-05-01 09:12:00');
  });
});

describe('the range of a chart', () => {
  const narrow = { value: 0.02, intervals: [{ low: 0.01, high: 0.03 }] };
  it('has zero and all ends on it', () => {
    const { low, high } = rangeOf([narrow, { value: -0.01, intervals: [{ low: -0.02, high: 0 }] }]);
    expect(low).toBeLessThan(-0.02);
    expect(high).toBeGreaterThan(0.03);
    expect(rangeOf([narrow]).low).toBeLessThan(0);
  });
  it('does not follow an outlier, which is cut and marked', () => {
    const wide = { value: 0.5, intervals: [{ low: -20, high: 21 }] };
    const range = rangeOf([narrow, narrow, wide]);
    expect(range.high).toBeLessThan(0.1);
    expect(cutTo(range, wide.intervals[0]!)).toEqual({ from: range.low, to: range.high, goesOnLeft: true, goesOnRight: true });
    expect(cutTo(range, narrow.intervals[0]!)).toEqual({ from: 0.01, to: 0.03, goesOnLeft: false, goesOnRight: false });
    expect(cutTo(range, { low: null, high: 0.02 })).toMatchObject({ to: 0.02, goesOnLeft: true });
  });
  it('has an extent where nothing differs', () => {
    const { low, high } = rangeOf([{ value: 0, intervals: [] }]);
    expect(high).toBeGreaterThan(low);
  });
});

describe('markup', () => {
  it('escapes what is put into it, but for markup', () => {
    const inner = html`<b title="${`"'<&>`}">${'<i>'}</b>`;
    expect(html`<p>${inner}${[html`<br />`, 3]}${null}</p>`.markup).toBe('<p><b title="&quot;&#39;&lt;&amp;&gt;">&lt;i&gt;</b><br />3</p>');
  });
  it('shows control characters, halves of characters and changes of direction', () => {
    expect(html`${'a\u0000b\u202ec\ud800d\u001b[31m'}`.markup).toBe('a·b·c\ufffdd·[31m');
  });
});

describe('labels of charts', () => {
  it('stand clear of each other', () => {
    expect(thinned([1, 2, 3, 4, 5], 2)).toEqual([1, '', '', 4, '']);
    expect(thinned([1, 2], 2)).toEqual([1, 2]);
  });
  it('are no wider than there is room, wide characters counted twice', () => {
    expect(shortened('patient thompson', 16)).toBe('patient thompson');
    expect(shortened('patient\n thompson', 10)).toBe('patient t…');
    expect(shortened('漢字漢字', 7)).toBe('漢字漢…');
  });
});

describe('a histogram of weights', () => {
  const bins = [0, 0, 5_000, 40, 0, 2, 0].map((records, i) => ({ from: i, to: i === 6 ? null : i + 1, records }));
  const many = Array.from({ length: 30 }, (_, i) => ({ from: i, to: i + 1, records: i === 29 ? 1 : 1_000 }));
  const labelsOf = (histogram: typeof many) =>
    (weightsChart('w', histogram).spec.data as unknown as { values: { label: string }[] }).values.map(({ label }) => label);
  it('leaves out the empty bins at its ends and no others', () => {
    expect(usedBins(bins).map(({ from }) => from)).toEqual([2, 3, 4, 5]);
    expect(usedBins([])).toEqual([]);
  });
  it('says how many there are where a bar is too low to be seen', () => {
    expect(labelsOf(many)).toEqual([...Array.from({ length: 29 }, () => ''), '1']);
  });
});
