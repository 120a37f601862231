import type { EvaluationReport } from '../../evaluation/report.ts';
import { policiesAmong } from '../../evaluation/single-arm.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { bandsOf, sharesChart } from '../charts/shares-chart.ts';
import { count, percent } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { numberCell, row, table } from '../table.ts';
import { time } from './period.ts';

/** Who decides what: the logger, over time, and each policy beside it. Single arms, whose shares are plain, have no column. */
export const division = async ({ division: of, candidates, counts }: EvaluationReport): Promise<Html> => {
  const { arms, parts, withChoice, untold } = of;
  const asked = policiesAmong(candidates);
  return html`<section id="division" aria-labelledby="division-title">
    <h2 id="division-title">Shares of the arms</h2>
    <p>
      How the decisions were divided among the arms, and how each candidate would have divided
      them.${
        withChoice === 0
          ? null
          : ` In ${count(withChoice)} of ${count(counts.evaluated)} decisions (${percent(withChoice / Math.max(1, counts.evaluated))}) there was a choice.`
      }${untold === 0 ? null : ` ${count(untold)} do not name what else could be chosen.`}
    </p>
    ${table(
      'Shares of the arms, as logged and as candidates would have it',
      ['arm', 'decisions', 'as logged', ...asked.map(({ name }) => name)],
      arms.map(({ arm, records, share, candidates: own }) =>
        row(arm, [numberCell(records, count), numberCell(share, percent), ...asked.map(({ at }) => numberCell(own[at] ?? 0, percent))]),
      ),
    )}
    ${parts.length === 0 ? null : await sharesOverTime(of)}
  </section> `;
};

const sharesOverTime = async (of: EvaluationReport['division']): Promise<Html> => {
  const { parts } = of;
  const bands = bandsOf(of);
  return html`<ul class="legend">
      ${bands.map(({ name, color }) => html`<li><span class="swatch ${color}"></span>${name}</li>`)}
    </ul>
    <figure>
      <div class="scroll" role="region" aria-label="Shares of the arms over time: chart" tabindex="0">
        ${await drawChart(sharesChart(bands, parts))}
      </div>
    </figure>
    <details>
      <summary>Figures of the chart</summary>
      ${table(
        'Shares of the arms by part of the period, as logged',
        ['from', 'records', ...bands.map(({ name }) => name)],
        parts.map(({ firstAt, records }, part) =>
          row(time(firstAt), [numberCell(records, count), ...bands.map(({ shares }) => numberCell(shares[part] ?? 0, percent))]),
        ),
      )}
    </details> `;
};
