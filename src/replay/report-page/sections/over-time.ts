import type { CandidateReport, EvaluationReport, Stretch } from '../../evaluation/report.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { overTimeChart } from '../charts/over-time-chart.ts';
import { confidenceText, count, scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCell, numberCell, row, table, textCell } from '../table.ts';
import { time } from './period.ts';

/** A candidate that is better on the whole may be so in one part of the period alone. */
export const overTime = async ({ candidates, settings, warnings }: EvaluationReport): Promise<Html> => {
  if (!isInOrder(warnings))
    return html`<section id="over-time" aria-labelledby="over-time-title">
      <h2 id="over-time-title">Reward over time</h2>
      <p>The records do not come in the order of time: parts of them are no parts of the period.</p>
    </section> `;
  const shown: Html[] = [];
  for (const [i, candidate] of candidates.entries()) shown.push(await candidateOverTime(candidate, i, settings));
  return html`<section id="over-time" aria-labelledby="over-time-title">
    <h2 id="over-time-title">Reward over time</h2>
    <p>
      By parts of the period with about as many records each. Bands are normal intervals of each part alone: they show how much parts differ
      by chance, and decide nothing.
    </p>
    <ul class="legend">
      <li><span class="swatch candidate"></span>candidate, estimated</li>
      <li><span class="swatch logger"></span>logger</li>
    </ul>
    ${shown}
  </section> `;
};

/** The report says so itself. */
export const isInOrder = (warnings: EvaluationReport['warnings']): boolean => !warnings.some(({ code }) => code === 'out_of_order');

const candidateOverTime = async (
  { name, overTime: stretches }: CandidateReport,
  i: number,
  { alpha }: EvaluationReport['settings'],
): Promise<Html> => {
  if (stretches.length === 0)
    return html`<h3>${name}</h3>
      <p>Too few records to divide the period.</p> `;
  return html`<h3>${name}</h3>
    <figure>
      <div class="scroll" role="region" aria-label="Reward of ${name} over time: chart" tabindex="0">
        ${await drawChart(overTimeChart(`over-time-${i}`, stretches))}
      </div>
    </figure>
    <details>
      <summary>Figures of the chart</summary>
      ${figures(name, stretches, alpha)}
    </details> `;
};

const figures = (name: string, stretches: readonly Stretch[], alpha: number): Html => {
  const interval = `interval, ${confidenceText(1 - alpha)}`;
  const cells = (of: Stretch['candidate']): readonly Html[] => {
    const { plain } = scaleOf('reward', [of.value], [of]);
    return [numberCell(of.value, plain), intervalCell(of, plain)];
  };
  return table(
    `Reward of ${name} and of the logger by part of the period`,
    ['from', { text: 'to' }, 'records', name, interval, 'logger', interval],
    stretches.map(({ firstAt, lastAt, records, candidate, logger }) =>
      row(time(firstAt), [textCell(time(lastAt)), numberCell(records, count), ...cells(candidate), ...cells(logger)]),
    ),
  );
};
