import type { Stretch } from '../../evaluation/report.ts';
import type { Chart } from './draw-chart.ts';
import { partsAxis } from './over-time-chart.ts';

/** What the candidate would have earned more than the logger, added up from the first part of the period on. */
export const cumulativeRegret = (stretches: readonly Stretch[]): readonly number[] => {
  let sum = 0;
  return stretches.map(({ records, difference }) => (sum += records * (difference ?? 0)));
};

/** A curve that flattens is a logger that has learned which arm is best. */
export const regretChart = (arm: string, stretches: readonly Stretch[]): Chart => {
  const x = partsAxis(stretches.map(({ firstAt }) => firstAt));
  const encoding = {
    x: x.channel,
    y: { field: 'regret', type: 'quantitative' as const, axis: { title: 'Regret, added up', tickCount: 5 } },
  };
  return {
    id: 'regret-over-time',
    title: `Regret against ${arm}, added up over the period`,
    description: `Estimated reward of ${arm} less that of the logger, added up over ${stretches.length} parts of the period. The table below has the figures.`,
    spec: {
      height: 180,
      params: [{ name: 'times', value: x.labels }],
      data: { values: cumulativeRegret(stretches).map((regret, part) => ({ part, regret })) },
      layer: [
        { data: { values: [{}] }, mark: { type: 'rule', color: 'var(--line)' }, encoding: { y: { datum: 0 } } },
        { mark: { type: 'line', strokeWidth: 2.5, color: 'var(--candidate)' }, encoding },
        { mark: { type: 'point', filled: true, opacity: 1, size: 45, color: 'var(--candidate)' }, encoding },
      ],
    },
  };
};
