import type { EvaluationReport } from '../../evaluation/report.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { evennessChart } from '../charts/evenness-chart.ts';
import { count, rounded } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { facts, numberCell, row, table } from '../table.ts';
import { isInOrder } from './over-time.ts';
import { time } from './period.ts';

/** What the logger tried: nothing can be said about what it never does. */
export const exploration = async ({ exploration: of, warnings }: EvaluationReport): Promise<Html> =>
  html`<section id="exploration" aria-labelledby="exploration-title">
    <h2 id="exploration-title">Exploration of the logger</h2>
    ${facts([
      [
        'Smallest probability that was drawn',
        html`<span title="${String(of.smallestPropensity)}">${rounded(of.smallestPropensity)}</span>: the weight of that record is
          ${rounded(1 / of.smallestPropensity)} for a candidate that is sure of its arm`,
      ],
      [
        'Floor',
        of.floor === null
          ? 'not known: this log holds the probability of the chosen arm alone'
          : html`<span title="${String(of.floor)}">${rounded(of.floor)}</span>, the smallest probability of any arm that could be drawn`,
      ],
    ])}${
      of.evenness === null || of.evenness.length === 0
        ? html`<p>
            How evenly the logger chose cannot be told:
            ${
              isInOrder(warnings)
                ? 'this log does not hold the probabilities of all arms.'
                : 'the records do not come in the order of time.'
            }
          </p> `
        : await evenness(of.evenness)
    }
  </section> `;

const evenness = async (stretches: NonNullable<EvaluationReport['exploration']['evenness']>): Promise<Html> =>
  html`<p>
      A curve that falls is a logger that learns and settles: later records say less about other arms, and intervals of a fixed size no
      longer hold.
    </p>
    <figure>
      <div class="scroll" role="region" aria-label="Evenness over time: chart" tabindex="0">
        ${await drawChart(evennessChart(stretches))}
      </div>
    </figure>
    <details>
      <summary>Figures of the chart</summary>
      ${table(
        'Evenness by part of the period',
        ['from', 'records', 'evenness'],
        stretches.map(({ firstAt, records, mean }) => row(time(firstAt), [numberCell(records, count), numberCell(mean, rounded)])),
      )}
    </details> `;
