import type { EvaluationReport, QuantityName } from '../../evaluation/report.ts';
import { differenceChart } from '../charts/difference-chart.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { confidenceText, count, errorOf, probabilityText, scaleByError, scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCells, intervalColumns, intervalTitle } from '../interval-columns.ts';
import { recommendedOf, rowNotes } from '../row-notes.ts';
import { notes, numberCell, row, table, textCell } from '../table.ts';
import { guarantees, guaranteeWords, quantityWords } from '../words.ts';

/** All candidates against the logger's own value, quantity by quantity. */
export const differences = async (report: EvaluationReport): Promise<Html> => {
  const { candidates, control } = report;
  const names = [...new Set(candidates.flatMap(({ quantities }) => quantities.map(({ quantity }) => quantity)))];
  const shown: Html[] = [];
  for (const name of names) shown.push(await quantityDifferences(report, name));
  const seen = new Set(
    candidates.flatMap(({ quantities }) => quantities.flatMap(({ difference }) => difference.intervals.map(({ guarantee }) => guarantee))),
  );
  return html`<section id="differences" aria-labelledby="differences-title">
    <h2 id="differences-title">Candidates against the logger</h2>
    <p>
      Candidate less logger, on the same records, by the estimator that is recommended for each. The line at zero is what the logging policy
      itself came to; the shaded side is better. An interval that does not touch the line tells the two apart. ${simultaneous(control)} An
      arrow means that an interval goes on, a hollow point that a difference lies outside its interval.
    </p>
    <ul class="legend">
      ${guarantees.filter((guarantee) => seen.has(guarantee)).map((guarantee) => html`<li><span class="swatch ${guarantee}"></span>${guaranteeWords[guarantee].name}</li>`)}
    </ul>
    ${shown}
  </section> `;
};

const simultaneous = ({ comparisons, alphaEach }: EvaluationReport['control']): string =>
  comparisons <= 1
    ? `Each interval of a difference is at ${confidenceText(1 - alphaEach)}.`
    : `Intervals are simultaneous: each is at ${confidenceText(1 - alphaEach)}, so that for one quantity and one kind of interval all ${comparisons} candidates hold together with ${confidenceText(1 - alphaEach * comparisons)} (Bonferroni); p is raised over the candidates too (Holm).`;

const quantityDifferences = async ({ candidates, onPolicy }: EvaluationReport, name: QuantityName): Promise<Html> => {
  const all = candidates.flatMap((candidate) =>
    candidate.quantities.filter(({ quantity }) => quantity === name).map((of) => ({ candidate, of })),
  );
  const logged = onPolicy.find(({ quantity }) => quantity === name);
  const { better } = all[0]?.of ?? { better: 'higher' };
  const columns = intervalColumns(all.flatMap(({ of }) => of.difference.intervals));
  const { title, meaning } = quantityWords[name];
  const chart = await drawChart(
    differenceChart(
      name,
      better,
      all.map(({ candidate, of }) => ({ candidate: candidate.name, difference: of.difference })),
    ),
  );
  return html`<h3 id="difference-of-${name}">${title}</h3>
    <p class="small">${meaning}; ${better} is better</p>
    <figure><div class="scroll" role="region" aria-label="${title}: chart" tabindex="0">${chart}</div></figure>
    ${table(
      `${title}: candidates and logger`,
      [
        'candidate',
        'difference',
        ...columns.map(intervalTitle),
        "p (Student's, one look)",
        'the same, adjusted',
        'estimate',
        'logger',
        { text: 'estimator' },
        'records',
      ],
      all.map(({ candidate, of }) => {
        const { signed } = scaleOf(name, [of.difference.value], of.difference.intervals);
        const estimate = recommendedOf(of);
        return row(candidate.name, [
          numberCell(of.difference.value, signed),
          ...intervalCells(columns, of.difference.intervals, signed),
          numberCell(of.difference.p, probabilityText),
          numberCell(of.difference.pAdjusted, probabilityText),
          numberCell(estimate?.value ?? null, (value) => scaleByError(name, value, estimate?.standardError ?? null).plain(value)),
          numberCell(logged?.mean ?? null, (value) => scaleByError(name, value, errorOf(logged?.intervals)).plain(value)),
          textCell(of.recommended),
          numberCell(of.records, count),
        ]);
      }),
    )}${notes(all.flatMap(({ candidate, of }) => rowNotes(candidate, of).map((note) => `${candidate.name}: ${note}.`)))}`;
};
