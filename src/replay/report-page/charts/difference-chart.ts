import { isOutside } from '../../evaluation/estimate-warnings.ts';
import type { Difference, Guarantee, QuantityName } from '../../evaluation/report.ts';
import { cutTo, isUnknown, rangeOf } from '../chart-range.ts';
import { unitOf } from '../figures.ts';
import { quantityWords } from '../words.ts';
import { columnsOf, shortened, type Chart } from './draw-chart.ts';

type Row = { readonly candidate: string; readonly difference: Difference };

const styles: Readonly<Record<Guarantee, { readonly color: string; readonly width: number }>> = {
  anytime: { color: 'var(--anytime)', width: 5 },
  asymptotic: { color: 'var(--asymptotic)', width: 3 },
  'fixed-size': { color: 'var(--fixed-size)', width: 1.5 },
};
const styled = <Key extends 'color' | 'width'>(key: Key) => ({
  field: 'guarantee',
  // In order: from the strongest promise to the weakest.
  type: 'ordinal' as const,
  legend: null,
  scale: { domain: Object.keys(styles), range: Object.values(styles).map((style) => style[key]) },
});

/** All candidates against the logger (zero), a line for each interval of each. The side that is better is shaded. */
export const differenceChart = (quantity: QuantityName, better: 'higher' | 'lower', rows: readonly Row[]): Chart => {
  const { title } = quantityWords[quantity];
  const { factor, before, afterDifference } = unitOf[quantity];
  const range = rangeOf(rows.map(({ difference }) => difference));
  const lines = rows.flatMap(({ difference }, row) =>
    difference.intervals.flatMap((interval, line) => {
      if (isUnknown(interval)) return [];
      const { from, to, goesOnLeft, goesOnRight } = cutTo(range, interval);
      return [{ row: String(row), line, from: from * factor, to: to * factor, guarantee: interval.guarantee, goesOnLeft, goesOnRight }];
    }),
  );
  const lineCount = Math.max(1, ...rows.map(({ difference }) => difference.intervals.length));
  const middle = Math.floor(lineCount / 2);
  const values = rows.flatMap(({ difference: { value, intervals } }, row) => {
    if (value < range.low || value > range.high) return [];
    const point = { row: String(row), value: value * factor };
    // A candidate without an interval still has its value, in the middle.
    if (intervals.length === 0) return [{ ...point, line: middle, isOutside: false }];
    return intervals.map((interval, line) => ({ ...point, line, isOutside: isOutside(value, interval) }));
  });
  const ends = { low: range.low * factor, high: range.high * factor };
  const names = rows.map(({ candidate }) => shortened(candidate, 26));
  // The library guesses without a font, and guesses half as much again.
  const labelWidth = 16 + 7 * Math.max(...names.map(columnsOf));
  const y = {
    field: 'row',
    type: 'nominal' as const,
    scale: { domain: rows.map((_, row) => String(row)), paddingInner: 0.35, paddingOuter: 0.2 },
    axis: {
      title: null,
      labelExpr: 'names[datum.value]',
      labelLimit: 1_000,
      labelPadding: 10,
      minExtent: labelWidth,
      maxExtent: labelWidth,
      labelColor: 'var(--ink)',
      labelFontSize: 13,
      ticks: false,
      domain: false,
    },
  };
  const yOffset = { field: 'line', type: 'ordinal' as const, scale: { domain: Array.from({ length: lineCount }, (_, line) => line) } };
  const unit = `${before}${afterDifference}`.trim();
  const x = {
    type: 'quantitative' as const,
    scale: { domain: [ends.low, ends.high], nice: false },
    axis: {
      title: `${title}, candidate less logger${unit === '' ? '' : ` (${unit === 'points' ? 'percentage points' : unit})`}`,
      format: '+,~f',
      labelExpr: `datum.value === 0 ? '0' : datum.label`,
      tickCount: 6,
    },
  };
  const arrow = (end: 'from' | 'to', side: 'Left' | 'Right') => ({
    transform: [{ filter: `datum.goesOn${side}` }],
    mark: { type: 'point' as const, filled: true, opacity: 1, size: 70, shape: `triangle-${side.toLowerCase()}` },
    encoding: { y, yOffset, x: { ...x, field: end }, color: styled('color') },
  });
  return {
    id: `difference-${quantity}`,
    title: `${title}: each candidate less the logger`,
    description: `Intervals of ${rows.length === 1 ? 'the difference of one candidate' : `the differences of ${rows.length} candidates`} from the logging policy, which is the line at zero; ${better} is better. The table below has the figures.`,
    spec: {
      height: rows.length * (14 + 14 * lineCount),
      params: [{ name: 'names', value: names }],
      data: { values: lines },
      layer: [
        {
          data: { values: [better === 'higher' ? { from: 0, to: ends.high } : { from: ends.low, to: 0 }] },
          mark: { type: 'rect', color: 'var(--shade)' },
          encoding: { x: { ...x, field: 'from' }, x2: { field: 'to' } },
        },
        { data: { values: [{}] }, mark: { type: 'rule', color: 'var(--ink)', strokeWidth: 1 }, encoding: { x: { ...x, datum: 0 } } },
        {
          mark: { type: 'rule' },
          encoding: {
            y,
            yOffset,
            x: { ...x, field: 'from' },
            x2: { field: 'to' },
            color: styled('color'),
            strokeWidth: styled('width'),
          },
        },
        arrow('from', 'Left'),
        arrow('to', 'Right'),
        ...[false, true].map((hollow) => ({
          data: { values: values.filter((point) => point.isOutside === hollow) },
          mark: hollow
            ? { type: 'point' as const, fill: 'var(--paper)', stroke: 'var(--ink)', strokeWidth: 1.5, opacity: 1, size: 45 }
            : { type: 'point' as const, filled: true, opacity: 1, size: 45, color: 'var(--ink)' },
          encoding: { y, yOffset, x: { ...x, field: 'value' } },
        })),
      ],
    },
  };
};
