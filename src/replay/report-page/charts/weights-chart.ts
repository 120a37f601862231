import type { Diagnostics } from '../../report.ts';
import { count, rounded } from '../figures.ts';
import type { Chart } from './draw-chart.ts';

type Bin = Diagnostics['histogram'][number];

/** Records by the size of their weight. Few large weights decide, so that each bar has its count: a bar of 2 among thousands cannot be seen. */
export const weightsChart = (id: string, histogram: readonly Bin[]): Chart => {
  const x = {
    field: 'bin',
    type: 'ordinal' as const,
    scale: { domain: histogram.map((_, bin) => bin), paddingInner: 0.12 },
    axis: { title: 'weight of a record', labelExpr: 'names[datum.value]', labelAngle: 0, grid: false },
  };
  const y = { field: 'records', type: 'quantitative' as const, axis: { title: 'records', tickCount: 4 } };
  return {
    id,
    title: 'Records by the size of their weight',
    description: `Histogram of the weights of the records in ${histogram.length} bins. The table below has the figures.`,
    spec: {
      height: 180,
      params: [{ name: 'names', value: histogram.map(binText) }],
      data: { values: histogram.map(({ records }, bin) => ({ bin, records, label: count(records) })) },
      layer: [
        { mark: { type: 'bar', color: 'var(--candidate)' }, encoding: { x, y } },
        { mark: { type: 'text', dy: -8 }, encoding: { x, y, text: { field: 'label' } } },
      ],
    },
  };
};

export const binText = ({ from, to }: Bin): string => (to === null ? `from ${rounded(from)}` : `${rounded(from)} to ${rounded(to)}`);
