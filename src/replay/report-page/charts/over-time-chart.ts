import type { Stretch } from '../../evaluation/report.ts';
import { timeText } from '../figures.ts';
import { thinned, type Chart } from './draw-chart.ts';

const series = ['candidate', 'logger'] as const;
const styled = (range: readonly unknown[]) => ({
  field: 'series',
  type: 'nominal' as const,
  legend: null,
  scale: { domain: [...series], range: [...range] },
});

/** Value of candidate and logger by part of the period, each with its own interval as a band. */
export const overTimeChart = (id: string, stretches: readonly Stretch[]): Chart => {
  const values = stretches.flatMap((stretch, part) => series.map((name) => ({ part, series: name, ...stretch[name] })));
  const x = partsAxis(stretches.map(({ firstAt }) => firstAt));
  const y = { type: 'quantitative' as const, scale: { zero: false }, axis: { title: 'Reward', tickCount: 5 } };
  const color = styled(['var(--candidate)', 'var(--logger)']);
  return {
    id,
    title: 'Reward over time: candidate and logger',
    description: `Reward by part of the period, ${stretches.length} parts of about as many records each, for the candidate (estimated) and the logging policy. The table below has the figures.`,
    spec: {
      height: 220,
      params: [{ name: 'times', value: x.labels }],
      data: { values },
      layer: [
        {
          mark: { type: 'area', opacity: 0.18 },
          encoding: { x: x.channel, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          mark: { type: 'line', strokeWidth: 2.5 },
          encoding: {
            x: x.channel,
            y: { ...y, field: 'value' },
            color,
            strokeDash: styled([
              [1, 0],
              [6, 3],
            ]),
          },
        },
        {
          mark: { type: 'point', filled: true, opacity: 1, size: 45 },
          encoding: { x: x.channel, y: { ...y, field: 'value' }, color, shape: styled(['circle', 'square']) },
        },
      ],
    },
  };
};

/** Parts of the period side by side, each with the time of its first record; a name for the labels is `times`. */
export const partsAxis = (firstAts: readonly string[]) => ({
  labels: thinned(
    firstAts.map((firstAt) => timeText(firstAt).split(' ')),
    10,
  ),
  channel: {
    field: 'part',
    type: 'ordinal' as const,
    scale: { domain: firstAts.map((_, part) => part) },
    axis: {
      title: 'parts of the period by their first record, UTC',
      labelExpr: 'times[datum.value]',
      labelAngle: 0,
      labelFontSize: 10,
      grid: false,
    },
  },
});
