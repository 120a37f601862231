import type { CandidateReport, EvaluationReport, QuantityReport } from '../../evaluation/report.ts';
import { tuningInWords } from '../../evaluation/sentences.ts';
import { scaleByError, scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCells, intervalColumns, intervalTitle } from '../interval-columns.ts';
import { isOutsideItsOwn } from '../row-notes.ts';
import { notes, numberCell, row, table, textCell } from '../table.ts';
import { guarantees, guaranteeWords, quantityWords } from '../words.ts';

/** Every estimator of every quantity with its intervals. The reward is open, the others can be opened. */
export const estimates = ({ candidates }: EvaluationReport): Html =>
  html`<section id="estimates" aria-labelledby="estimates-title">
    <h2 id="estimates-title">All estimators</h2>
    <p>
      Several ways to answer the same question. Where they agree, the answer does not hang on one of them; where they do not, weights are
      large or the reward model is wrong. What an interval promises stands with its method:
    </p>
    <dl class="promises">
      ${guarantees.map(
        (guarantee) =>
          html`<div>
            <dt>${guaranteeWords[guarantee].name}</dt>
            <dd>${guaranteeWords[guarantee].promise}</dd>
          </div>`,
      )}
    </dl>
    ${candidates.map(estimatesOf)}
  </section> `;

const estimatesOf = ({ name, quantities }: CandidateReport): Html =>
  html`<h3>${name}</h3>
    ${quantities.map((of, i) => quantityEstimates(name, of, i === 0))}`;

const quantityEstimates = (name: string, { quantity, estimates: all, recommended }: QuantityReport, open: boolean): Html => {
  const columns = intervalColumns(all.flatMap(({ intervals }) => intervals));
  const { title } = quantityWords[quantity];
  return html`<details${open ? html` open` : null}><summary>${title}</summary>
${table(
  `${title} of ${name} by every estimator`,
  ['estimator', 'estimate', 'standard error', ...columns.map(intervalTitle), { text: 'tuned by' }],
  all.map((estimate) => {
    const { estimator, value, standardError, intervals, tunedBy } = estimate;
    const byError = scaleByError(quantity, value, standardError);
    return row(
      estimator === recommended && tunedBy === null ? html`${estimator} <span class="recommended">recommended</span>` : estimator,
      [
        numberCell(value, byError.plain),
        numberCell(standardError, byError.plain),
        ...intervalCells(columns, intervals, scaleOf(quantity, [value], intervals).plain),
        textCell(tunedBy === null ? '–' : tuningInWords(tunedBy)),
      ],
    );
  }),
)}${notes(
    all
      .filter(isOutsideItsOwn)
      .map(({ estimator }) => `${estimator}: the estimate lies outside the interval that holds at all times; trust the interval.`),
  )}</details>
`;
};
