import type { CandidateReport, Difference, Estimate, EvaluationReport, Interval, QuantityName } from '../replay/evaluation/report.ts';
import { tuningInWords } from '../replay/evaluation/sentences.ts';
import { endsText, scaleByError, scaleOf } from '../replay/report-page/figures.ts';
import { isOutsideItsOwn } from '../replay/report-page/row-notes.ts';
import { estimatePlot } from './estimate-plot.ts';
import { differenceInWords, levelOf, valueInWords } from './figures-in-words.ts';
import { inAscii } from './in-ascii.ts';
import { grouped } from './numbers.ts';
import { writeTable } from './table.ts';
import { inLine, type Terminal } from './terminal.ts';

const plotWidth = 100;

/** Every estimator of every quantity of a candidate, with all its intervals. */
export const showEstimates = async (
  terminal: Terminal,
  { name, method, quantities }: CandidateReport,
  { alpha }: EvaluationReport['settings'],
): Promise<void> => {
  await terminal.line();
  await terminal.line(`${terminal.style('bold', inLine(name))}, ${method.name}: ${method.why}`);
  for (const { quantity, estimates, difference, records } of quantities) {
    const methods = [...new Set(estimates.flatMap(({ intervals }) => intervals.map((one) => one.method)))];
    await terminal.line();
    await terminal.line(
      `${quantity}, ${grouped(records)} records; difference ${differenceInWords(quantity, difference)[0]}, p by Student's interval at one look, adjusted ${pInWords(difference)}`,
    );
    await writeTable(
      terminal,
      [
        { title: 'estimator' },
        right('value'),
        right('standard error'),
        ...methods.map((title) => ({ title: `${title}, ${levelOf(alpha)}` })),
      ],
      estimates.map((estimate) => {
        const { estimator, value, standardError, tunedBy, intervals } = estimate;
        const { plain } = scaleOf(quantity, [value], intervals);
        return [
          tunedBy === null ? estimator : tuningInWords(tunedBy),
          valueInWords(quantity, estimate),
          standardError === null ? 'not known' : inAscii(scaleByError(quantity, value, standardError).plain(standardError)),
          ...methods.map((wanted) => {
            const interval = intervals.find((one) => one.method === wanted);
            return interval === undefined ? '-' : inAscii(endsText(interval, plain));
          }),
        ];
      }),
    );
    for (const { estimator } of estimates.filter((estimate) => estimate.tunedBy === null && isOutsideItsOwn(estimate)))
      await terminal.line(`${estimator}: the estimate lies outside the interval that holds at all times; trust the interval`);
    await showPlot(terminal, quantity, estimates);
  }
};

const showPlot = async (terminal: Terminal, quantity: QuantityName, estimates: readonly Estimate[]): Promise<void> => {
  const rows = estimates
    .filter(({ tunedBy }) => tunedBy === null)
    .map(({ estimator, value, intervals }) => ({
      label: estimator,
      value,
      ...endsOf(intervals.find((one) => one.method === 'student')),
    }));
  const { plain } = scaleOf(
    quantity,
    rows.map(({ value }) => value),
    rows,
  );
  for (const line of estimatePlot(rows, { width: plotWidth, format: (value) => inAscii(plain(value)) })) await terminal.line(line);
};

const right = (title: string) => ({ title, align: 'right' as const });

const endsOf = (interval: Interval | undefined) => ({ low: interval?.low ?? null, high: interval?.high ?? null });

const pInWords = ({ pAdjusted }: Difference): string =>
  pAdjusted === null ? 'not known' : pAdjusted < 1e-4 ? '< 0.0001' : pAdjusted.toFixed(4);
