import type { Division } from '../../evaluation/report.ts';
import type { Chart } from './draw-chart.ts';
import { armColors } from '../style.ts';
import { partsAxis } from './over-time-chart.ts';

export type Band = { readonly name: string; readonly color: string; readonly shares: readonly number[] };

/** The arms as bands, the most frequent first; as many as there are colours, the others as one. */
export const bandsOf = ({ arms, parts }: Division): readonly Band[] => {
  const drawn = arms.filter(({ records }) => records > 0);
  const own = drawn.slice(0, drawn.length > armColors ? armColors - 1 : armColors);
  const rest = drawn.slice(own.length);
  const all = [
    ...own.map(({ arm, overTime }) => ({ name: arm, shares: overTime })),
    ...(rest.length === 0
      ? []
      : [
          {
            name: `${rest.length} others`,
            shares: parts.map((_, part) => rest.reduce((sum, { overTime }) => sum + (overTime[part] ?? 0), 0)),
          },
        ]),
  ];
  return all.map((band, i) => ({ ...band, color: `arm-${i + 1}` }));
};

/** How the logger divided the decisions among the arms, by part of the period: bands on top of each other. */
export const sharesChart = (bands: readonly Band[], parts: Division['parts']): Chart => {
  const x = partsAxis(parts.map(({ firstAt }) => firstAt));
  const values = bands.flatMap(({ shares }, band) => shares.map((share, part) => ({ part, band, share })));
  return {
    id: 'shares',
    title: 'Share of the decisions by arm, over time',
    description: `Shares of ${bands.length} arms in ${parts.length} parts of the period, on top of each other: ${bands.map(({ name }) => name).join(', ')}. The table below has the figures.`,
    spec: {
      height: 200,
      params: [{ name: 'times', value: x.labels }],
      data: { values },
      layer: [
        {
          mark: { type: 'bar', stroke: 'var(--paper)', strokeWidth: 1 },
          encoding: {
            x: x.channel,
            y: {
              field: 'share',
              type: 'quantitative',
              stack: 'zero',
              scale: { domain: [0, 1] },
              axis: { title: 'Share', tickCount: 4, format: '.0%' },
            },
            order: { field: 'band', type: 'quantitative', sort: 'ascending' },
            color: {
              field: 'band',
              type: 'nominal',
              legend: null,
              scale: { domain: bands.map((_, band) => band), range: bands.map(({ color }) => `var(--${color})`) },
            },
          },
        },
      ],
    },
  };
};
