import type { ShadowedPair } from '../../logged/shadowed-pairs.ts';
import type { EvaluationReport } from '../../evaluation/report.ts';
import { count, scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCell, numberCell, row, table } from '../table.ts';

/** Requests that two arms answered; nothing where there are none. */
export const shadowed = ({ traffic }: EvaluationReport): Html | null => {
  const pairs = traffic?.shadowed ?? [];
  if (pairs.length === 0) return null;
  return html`<section id="shadowed" aria-labelledby="shadowed-title">
    <h2 id="shadowed-title">Shadow comparison</h2>
    <p>
      Requests of the period that a second arm answered too, without its answer being delivered: both arms on the same requests, no weights
      and no model. Differences are second less delivered, with 95&nbsp;% intervals (paired t, one look).
    </p>
    ${table(
      'Pairs of arms on the same requests',
      [
        'delivered, second',
        'requests',
        'failed, delivered',
        'failed, second',
        'latency, delivered',
        'second',
        'difference',
        '95 %',
        'cost, delivered',
        'second',
        'difference',
        '95 %',
        'similarity of the texts',
      ],
      pairs.map(pairRow),
    )}${
      pairs.some(({ simulated }) => simulated > 0)
        ? html`<p class="small">Simulated models took part: their figures are declared, not measured.</p> `
        : null
    }
  </section> `;
};

const pairRow = (pair: ShadowedPair): Html =>
  row(`${pair.deliveredArm}, ${pair.shadowArm}`, [
    numberCell(pair.requests, count),
    numberCell(pair.deliveredFailed, count),
    numberCell(pair.shadowFailed, count),
    ...paired('latencyMs', pair.deliveredLatencyMs, pair.shadowLatencyMs, {
      value: pair.latencyMsDifference,
      low: pair.latencyMsLow,
      high: pair.latencyMsHigh,
    }),
    ...paired('costUsd', pair.deliveredCostNanoUsd / 1e9, pair.shadowCostNanoUsd / 1e9, {
      value: pair.costNanoUsdDifference / 1e9,
      low: usd(pair.costNanoUsdLow),
      high: usd(pair.costNanoUsdHigh),
    }),
    numberCell(pair.meanSimilarity, (similarity) => similarity.toFixed(2)),
  ]);

const usd = (nano: number | null): number | null => (nano === null ? null : nano / 1e9);

const paired = (
  quantity: 'latencyMs' | 'costUsd',
  delivered: number | null,
  second: number | null,
  difference: { readonly value: number | null; readonly low: number | null; readonly high: number | null },
): readonly Html[] => {
  const values = [delivered, second, difference.value].filter((value) => value !== null);
  const { plain, signed } = scaleOf(quantity, values, [difference]);
  const isKnown = difference.low !== null && difference.high !== null;
  return [
    numberCell(delivered, plain),
    numberCell(second, plain),
    numberCell(difference.value, signed),
    intervalCell(isKnown ? difference : undefined, signed),
  ];
};
