import type { CandidateReport, EvaluationReport, QuantityReport } from '../../evaluation/report.ts';
import { scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCells, intervalColumns, intervalTitle } from '../interval-columns.ts';
import { numberCell, row, table, textCell } from '../table.ts';
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
  const intervals = all.flatMap((estimate) => estimate.intervals);
  const columns = intervalColumns(intervals);
  const { plain } = scaleOf(
    quantity,
    all.map(({ value }) => value),
    intervals,
  );
  const errors = scaleOf(
    quantity,
    all.flatMap(({ standardError }) => standardError ?? []),
    [],
  );
  const { title } = quantityWords[quantity];
  return html`<details${open ? html` open` : null}><summary>${title}</summary>
${table(
  `${title} of ${name} by every estimator`,
  ['estimator', 'estimate', 'standard error', ...columns.map(intervalTitle), { text: 'tuned by' }],
  all.map(({ estimator, value, standardError, intervals: own, tunedBy }) =>
    row(estimator === recommended && tunedBy === null ? html`${estimator} <span class="recommended">recommended</span>` : estimator, [
      numberCell(value, plain),
      numberCell(standardError, errors.plain),
      ...intervalCells(columns, own, plain),
      textCell(tunedBy ?? '–'),
    ]),
  ),
)}</details>
`;
};
