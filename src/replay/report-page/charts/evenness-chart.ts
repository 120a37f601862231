import type { Exploration } from '../../evaluation/report.ts';
import type { Chart } from './draw-chart.ts';
import { partsAxis } from './over-time-chart.ts';

export const evennessChart = (evenness: NonNullable<Exploration['evenness']>): Chart => {
  const x = partsAxis(evenness.map(({ firstAt }) => firstAt));
  const encoding = {
    x: x.channel,
    y: { field: 'mean', type: 'quantitative' as const, scale: { domain: [0, 1] }, axis: { title: 'Evenness', tickCount: 5 } },
  };
  return {
    id: 'evenness',
    title: 'How evenly the logger chose, over time',
    description: `Mean entropy of the logged probabilities as a share of that of equal ones, in ${evenness.length} parts of the period: 0 is always the same arm, 1 all alike. The table below has the figures.`,
    spec: {
      height: 150,
      params: [{ name: 'times', value: x.labels }],
      data: { values: evenness.map(({ mean }, part) => ({ part, mean })) },
      layer: [
        { mark: { type: 'line', strokeWidth: 2.5, color: 'var(--logger)' }, encoding },
        { mark: { type: 'point', filled: true, opacity: 1, size: 45, shape: 'square', color: 'var(--logger)' }, encoding },
      ],
    },
  };
};
