import type { EvaluationReport } from '../../evaluation/report.ts';
import { count, errorOf, percent, scaleByError, scaleOf } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { intervalCells, intervalColumns, intervalTitle } from '../interval-columns.ts';
import { numberCell, row, table } from '../table.ts';
import { quantityWords } from '../words.ts';

/** Beyond so many clusters their number is an estimate. */
const countedMost = 10_000;

/** What was read, what was left out and why, who decided, and what came of it. */
export const records = ({ counts, loggers, onPolicy }: EvaluationReport): Html => {
  const columns = intervalColumns(onPolicy.flatMap(({ intervals }) => intervals));
  const total = loggers.reduce((sum, logger) => sum + logger.records, 0);
  return html`<section id="records" aria-labelledby="records-title">
    <h2 id="records-title">Records</h2>
    ${table(
      'Decisions that were read',
      ['', 'decisions', 'of those read'],
      (
        [
          ['read', counts.read],
          ['second records of a decision, left out', counts.duplicates],
          ['nothing came of them (censored), left out', counts.censored],
          ['evaluated', counts.evaluated],
        ] as const
      ).map(([name, decisions]) =>
        row(name, [numberCell(decisions, count), numberCell(counts.read === 0 ? null : decisions / counts.read, percent)]),
      ),
    )}
    <p class="small">
      Evaluated decisions belong to ${counts.clusters > countedMost ? 'about ' : null}${count(counts.clusters)} clusters: conversations, or
      single requests that belong to none. Records of one cluster depend on each other and are resampled together.
    </p>
    ${table(
      'Policies that decided',
      ['policy', 'decisions', 'share'],
      loggers.map(({ policy, records: decisions }) => row(policy, [numberCell(decisions, count), numberCell(decisions / total, percent)])),
    )}${table(
      'What the decisions as they were logged came to',
      ['quantity', 'records', 'mean', ...columns.map(intervalTitle)],
      onPolicy.map(({ quantity, records: measured, mean, intervals }) => {
        const { plain } = scaleOf(quantity, [mean], intervals);
        return row(quantityWords[quantity].title, [
          numberCell(measured, count),
          numberCell(mean, scaleByError(quantity, mean, errorOf(intervals)).plain),
          ...intervalCells(columns, intervals, plain),
        ]);
      }),
    )}
  </section> `;
};
