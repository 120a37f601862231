import type { Diagnostics } from '../../evaluation/report.ts';
import { count, rounded } from '../figures.ts';
import { thinned, type Chart } from './draw-chart.ts';

type Bin = Diagnostics['histogram'][number];

/** A bar lower than this part of the highest cannot be seen. It may be the one that decides, so its count stands above it. */
const hardlySeen = 0.03;
const labelledMost = 12;

/** Records by the size of their weight, without the empty bins at either end. */
export const weightsChart = (id: string, histogram: readonly Bin[]): Chart => {
  const bins = usedBins(histogram);
  const highest = Math.max(...bins.map(({ records }) => records));
  const isLabelled = (records: number) => records > 0 && (bins.length <= labelledMost || records < hardlySeen * highest);
  const x = {
    field: 'bin',
    type: 'ordinal' as const,
    scale: { domain: bins.map((_, bin) => bin), paddingInner: 0.12 },
    axis: {
      title: 'weight of a record: bars begin at the numbers below them',
      labelExpr: 'names[datum.value]',
      labelAngle: 0,
      grid: false,
    },
  };
  const y = { field: 'records', type: 'quantitative' as const, axis: { title: 'records', tickCount: 4 } };
  return {
    id,
    title: 'Records by the size of their weight',
    description: `Histogram of the weights of the records in ${bins.length} bins. The table below has the figures.`,
    spec: {
      height: 180,
      params: [
        {
          name: 'names',
          value: thinned(
            bins.map(({ from }) => rounded(from)),
            labelledMost,
          ),
        },
      ],
      data: { values: bins.map(({ records }, bin) => ({ bin, records, label: isLabelled(records) ? count(records) : '' })) },
      layer: [
        { mark: { type: 'bar', color: 'var(--candidate)' }, encoding: { x, y } },
        { mark: { type: 'text', dy: -8 }, encoding: { x, y, text: { field: 'label' } } },
      ],
    },
  };
};

export const usedBins = (histogram: readonly Bin[]): readonly Bin[] =>
  histogram.slice(
    histogram.findIndex(({ records }) => records > 0),
    histogram.findLastIndex(({ records }) => records > 0) + 1,
  );

export const binText = ({ from, to }: Bin): string => (to === null ? `from ${rounded(from)}` : `${rounded(from)} to ${rounded(to)}`);
