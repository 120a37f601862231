import type {
  CandidateReport,
  Difference,
  Estimate,
  EvaluationReport,
  Interval,
  QuantityName,
  QuantityReport,
  Warning,
} from '../replay/evaluation/report.ts';
import { estimatePlot } from './estimate-plot.ts';
import { differencePlot } from './interval-plot.ts';
import { dollars, grouped, milliseconds, percent } from './numbers.ts';
import { writeTable } from './table.ts';
import { printable, type Terminal } from './terminal.ts';
import { errorOf, valueWithError } from './value-with-error.ts';

/** For people: what was asked of which records, the reward of each policy with the interval that holds at all times, the verdicts, and what to be wary of. `all`: every part of the reward, and every estimator of every quantity. */
export const showEvaluation = async (terminal: Terminal, report: EvaluationReport, { all }: { readonly all: boolean }): Promise<void> => {
  await showRecords(terminal, report);
  await showValues(terminal, report, { all });
  await showDifferences(terminal, report);
  await showMethods(terminal, report);
  if (all) for (const candidate of report.candidates) await showEstimates(terminal, candidate);
  await terminal.line();
  for (const { verdict } of report.candidates) {
    await terminal.line(`${terminal.style('bold', verdict.kind)}: ${printable(verdict.sentence)}`);
    if (verdict.forced) await terminal.line(`  concluded by force, although ${verdict.refusals.join('; ')}`);
  }
  const named = report.candidates.flatMap(({ name, warnings }) => warnings.map((warning) => ({ name, warning })));
  for (const warning of report.warnings) await showWarning(terminal, null, warning);
  for (const { name, warning } of named) await showWarning(terminal, report.candidates.length > 1 ? name : null, warning);
};

const showWarning = (terminal: Terminal, name: string | null, { what, consequence }: Warning): Promise<void> =>
  terminal.line(`warning: ${name === null ? '' : `${name}: `}${printable(what)}: ${consequence}`);

const showRecords = async (terminal: Terminal, { counts, period, loggers }: EvaluationReport): Promise<void> => {
  const { fromSequence, toSequence, firstAt, lastAt } = period;
  const places = fromSequence === null || toSequence === null ? '' : `, sequences ${fromSequence} to ${toSequence}`;
  await terminal.line(`${grouped(counts.evaluated)} of ${grouped(counts.read)} decisions, ${firstAt} to ${lastAt}${places}`);
  const shown = loggers.slice(0, 4).map(({ policy, records }) => `${policy} (${grouped(records)})`);
  await terminal.line(
    `made by ${printable(shown.join(', '))}${loggers.length > shown.length ? ` and ${loggers.length - shown.length} more` : ''}`,
  );
};

const right = (title: string) => ({ title, align: 'right' as const });

const usualQuantities: readonly QuantityName[] = ['reward', 'costUsd', 'latencyMs', 'failureRate'];

const showValues = async (
  terminal: Terminal,
  { candidates, onPolicy }: EvaluationReport,
  { all }: { readonly all: boolean },
): Promise<void> => {
  const quantities = (candidates[0]?.quantities ?? [])
    .map(({ quantity }) => quantity)
    .filter((name) => all || usualQuantities.includes(name));
  const logged = (name: QuantityName) => onPolicy.find(({ quantity }) => quantity === name);
  await terminal.line();
  await terminal.line('estimated for the requests of this period, ± one standard error; conversations to come may differ');
  await writeTable(
    terminal,
    [{ title: 'policy' }, { title: 'kind' }, right('effective'), right('unsupported'), ...quantities.map(right)],
    [
      ['(as logged)', '', '', '', ...quantities.map((name) => valueWithError(name, logged(name)?.mean, errorOf(logged(name)?.intervals)))],
      ...candidates.map(({ name, kind, diagnostics, quantities: found }) => [
        name,
        kind,
        grouped(diagnostics.effectiveRecords),
        percent(diagnostics.unsupported),
        ...quantities.map((wanted) => {
          const estimate = recommendedOf(found.find(({ quantity }) => quantity === wanted));
          return valueWithError(wanted, estimate?.value, estimate?.standardError ?? null);
        }),
      ]),
    ],
  );
};

const recommendedOf = (quantity: QuantityReport | undefined): Estimate | undefined =>
  quantity?.estimates.find(({ estimator, tunedBy }) => estimator === quantity.recommended && tunedBy === null);

const showDifferences = async (terminal: Terminal, { candidates }: EvaluationReport): Promise<void> => {
  const rewards = candidates.flatMap(({ name, quantities }) =>
    quantities.filter(({ quantity }) => quantity === 'reward').map((reward) => ({ name, reward })),
  );
  await terminal.line();
  await writeTable(
    terminal,
    [
      { title: 'reward of' },
      { title: 'estimator' },
      right('value'),
      { title: 'at all times' },
      right('difference'),
      { title: 'at all times' },
    ],
    rewards.map(({ name, reward }) => [
      name,
      reward.recommended,
      inWords('reward', recommendedOf(reward)?.value),
      intervalInWords('reward', strongest(recommendedOf(reward)?.intervals)),
      signed(reward.difference.value),
      intervalInWords('reward', strongest(reward.difference.intervals)),
    ]),
  );
  await terminal.line();
  for (const line of differencePlot(candidates, 'reward', plotWidth)) await terminal.line(line);
};

const plotWidth = 100;

/** The first one holds at all times where there is one. */
const strongest = (intervals: readonly Interval[] | undefined): Interval | undefined =>
  intervals?.find(({ guarantee }) => guarantee === 'anytime') ?? intervals?.[0];

const endsOf = (interval: Interval | undefined) => ({ low: interval?.low ?? null, high: interval?.high ?? null });

/** A line for each candidate that would learn: its figures mean different things by how it was let learn. */
const showMethods = async (terminal: Terminal, { candidates, source }: EvaluationReport): Promise<void> => {
  const lines = candidates.flatMap(({ name, method }) => {
    const said = methodInWords(method, source);
    return said === null ? [] : [`${printable(name)}: ${said}`];
  });
  if (lines.length > 0) await terminal.line();
  for (const line of lines) await terminal.line(line);
};

const methodInWords = ({ name, frozenAt }: CandidateReport['method'], source: EvaluationReport['source']): string | null => {
  switch (name) {
    case 'doubly-robust-replay':
      return 'as it learns from every logged reward, whoever chose (doubly robust replay): beside the yard, not from a start of its own';
    case 'rejection-replay':
      return 'as it learns from the records that its own draw agrees with (rejection replay): after so many requests of its own';
    case 'fixed':
      if (frozenAt === undefined) return null;
      return source.kind === 'file'
        ? 'as it begins, without evidence, which a file does not hold'
        : `frozen as of ${frozenAt}; --learning evaluates it as it learns`;
  }
};

const showEstimates = async (terminal: Terminal, { name, method, quantities }: CandidateReport): Promise<void> => {
  await terminal.line();
  await terminal.line(`${terminal.style('bold', name)}, ${method.name}: ${method.why}`);
  for (const { quantity, estimates, difference, records } of quantities) {
    const methods = [...new Set(estimates.flatMap(({ intervals }) => intervals.map((one) => one.method)))];
    await terminal.line();
    await terminal.line(
      `${quantity}, ${grouped(records)} records; difference ${inWords(quantity, difference.value)}, p by Student's interval at one look, adjusted ${pInWords(difference)}`,
    );
    await writeTable(
      terminal,
      [{ title: 'estimator' }, right('value'), right('standard error'), ...methods.map((title) => ({ title }))],
      estimates.map(({ estimator, value, standardError, tunedBy, intervals }) => [
        tunedBy ?? estimator,
        inWords(quantity, value),
        inWords(quantity, standardError ?? undefined),
        ...methods.map((wanted) =>
          intervalInWords(
            quantity,
            intervals.find((one) => one.method === wanted),
          ),
        ),
      ]),
    );
    const rows = estimates
      .filter(({ tunedBy }) => tunedBy === null)
      .map(({ estimator, value, intervals }) => ({
        label: estimator,
        value,
        ...endsOf(intervals.find((one) => one.method === 'student')),
      }));
    for (const line of estimatePlot(rows, { width: plotWidth, format: (value) => inWords(quantity, value) })) await terminal.line(line);
  }
};

const inWords = (quantity: QuantityName, value: number | undefined): string => {
  if (value === undefined || !Number.isFinite(value)) return '';
  if (quantity === 'costUsd') return `${value < 0 ? '-' : ''}${dollars(Math.abs(value))}`;
  if (quantity === 'latencyMs') return `${value < 0 ? '-' : ''}${milliseconds(Math.abs(value))}`;
  return quantity === 'failureRate' ? percent(value) : value.toFixed(4);
};

const intervalInWords = (quantity: QuantityName, interval: Interval | undefined): string => {
  if (interval === undefined) return '';
  const { low, high } = interval;
  return `${low === null ? 'unknown' : inWords(quantity, low)} to ${high === null ? 'unknown' : inWords(quantity, high)}`;
};

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`;

const pInWords = ({ pAdjusted }: Difference): string => (pAdjusted === null ? '' : pAdjusted < 1e-4 ? '< 0.0001' : pAdjusted.toFixed(4));
