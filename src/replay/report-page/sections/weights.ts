import type { EvaluationReport } from '../../evaluation/report.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { binText, usedBins, weightsChart } from '../charts/weights-chart.ts';
import { count, percent, rounded } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { numberCell, row, table } from '../table.ts';

/** How much of the log speaks about each candidate. */
export const weights = async ({ candidates }: EvaluationReport): Promise<Html> => {
  const histograms: Html[] = [];
  for (const [i, { name, diagnostics }] of candidates.entries())
    histograms.push(
      html`<h3>${name}</h3>
        <figure>
          <div class="scroll" role="region" aria-label="Weights of ${name}: chart" tabindex="0">
            ${await drawChart(weightsChart(`weights-${i}`, diagnostics.histogram))}
          </div>
        </figure>
        <details>
          <summary>Figures of the histogram</summary>
          ${table(
            `Records of ${name} by weight`,
            ['weight', 'records'],
            usedBins(diagnostics.histogram).map((bin) => row(binText(bin), [numberCell(bin.records, count)])),
          )}
        </details> `,
    );
  return html`<section id="weights" aria-labelledby="weights-title">
    <h2 id="weights-title">Overlap</h2>
    <p>
      A record counts with the candidate’s probability of what was done, divided by the logged one: its weight. A few large weights mean
      that a few records decide; the effective records are how many equally weighted ones carry as much. The mean weight should be near 1,
      unless the candidate does what the logger could not.
    </p>
    ${table(
      'Diagnostics of the weights',
      ['candidate', 'records', 'effective records', 'mean weight', 'largest weight', 'unsupported', 'never chosen'],
      candidates.map(({ name, diagnostics: of }) =>
        row(name, [
          numberCell(of.records, count),
          numberCell(of.effectiveRecords, count),
          numberCell(of.meanWeight, rounded),
          numberCell(of.largestWeight, rounded),
          numberCell(of.unsupported, percent),
          numberCell(of.neverChosen, count),
        ]),
      ),
    )}
    <p class="small">
      Unsupported: mean probability that the candidate puts on arms that the logger could not have chosen. Never chosen: records whose arm
      the candidate would never choose; they say nothing about it.
    </p>
    ${histograms}
  </section> `;
};
