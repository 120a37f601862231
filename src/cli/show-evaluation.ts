import type { CandidateReport, EvaluationReport, QuantityName, Warning } from '../replay/evaluation/report.ts';
import { singleArmKind } from '../replay/evaluation/single-arm.ts';
import { errorOf, scaleOf } from '../replay/report-page/figures.ts';
import { recommendedOf, rowNotes } from '../replay/report-page/row-notes.ts';
import { atAllTimes, differenceInWords, levelOf, valueInWords } from './figures-in-words.ts';
import { differencePlot } from './interval-plot.ts';
import { grouped, percent } from './numbers.ts';
import { showDivision, showRegret } from './show-division.ts';
import { showEstimates } from './show-estimates.ts';
import { writeTable } from './table.ts';
import { inLine, type Terminal } from './terminal.ts';
import { valueWithError } from './value-with-error.ts';

/** For people: what was asked of which records, the reward of each policy with the interval that holds at all times, the verdicts, and what to be wary of. `all`: every part of the reward, and every estimator of every quantity. */
export const showEvaluation = async (terminal: Terminal, report: EvaluationReport, { all }: { readonly all: boolean }): Promise<void> => {
  await showRecords(terminal, report);
  await showValues(terminal, report, { all });
  await showDivision(terminal, report);
  await showDifferences(terminal, report);
  await showRegret(terminal, report);
  await showMethods(terminal, report);
  if (all) for (const candidate of report.candidates) await showEstimates(terminal, candidate, report.settings);
  await terminal.line();
  for (const { verdict } of report.candidates) {
    await terminal.line(`${terminal.style('bold', verdict.kind)}: ${inLine(verdict.sentence)}`);
    if (verdict.forced) await terminal.line(`  concluded by force, although ${verdict.refusals.map(({ what }) => what).join('; ')}`);
  }
  const named = report.candidates.flatMap(({ name, warnings }) => warnings.map((warning) => ({ name, warning })));
  for (const warning of report.warnings) await showWarning(terminal, null, warning);
  for (const { name, warning } of named) await showWarning(terminal, report.candidates.length > 1 ? name : null, warning);
  await terminal.line();
  await terminal.line(`the same again: ${inLine(report.command)}`);
};

const showWarning = (terminal: Terminal, name: string | null, { what, consequence }: Warning): Promise<void> =>
  terminal.line(`warning: ${name === null ? '' : `${inLine(name)}: `}${inLine(what)}: ${inLine(consequence)}`);

const showRecords = async (terminal: Terminal, { counts, period, loggers }: EvaluationReport): Promise<void> => {
  const { fromSequence, toSequence, firstAt, lastAt } = period;
  const places = fromSequence === null || toSequence === null ? '' : `, sequences ${fromSequence} to ${toSequence}`;
  await terminal.line(`${grouped(counts.evaluated)} of ${grouped(counts.read)} decisions, ${firstAt} to ${lastAt}${places}`);
  const shown = loggers.slice(0, 4).map(({ policy, records }) => `${policy} (${grouped(records)})`);
  await terminal.line(
    `made by ${inLine(shown.join(', '))}${loggers.length > shown.length ? ` and ${loggers.length - shown.length} more` : ''}`,
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
      [
        '(as logged)',
        '',
        '',
        '',
        ...quantities.map((name) => valueWithError(name, logged(name)?.mean, errorOf(logged(name)?.intervals) ?? 0)),
      ],
      ...candidates.map(({ name, kind, diagnostics, quantities: found }) => [
        inLine(name),
        kind,
        grouped(diagnostics.effectiveRecords),
        percent(diagnostics.unsupported),
        ...quantities.map((wanted) => {
          const of = found.find(({ quantity }) => quantity === wanted);
          const estimate = of === undefined ? undefined : recommendedOf(of);
          return valueWithError(wanted, estimate?.value, estimate?.standardError ?? null);
        }),
      ]),
    ],
  );
  for (const candidate of candidates)
    for (const of of candidate.quantities)
      if (quantities.includes(of.quantity))
        for (const note of rowNotes(candidate, of)) await terminal.line(`${inLine(candidate.name)}, ${of.quantity}: ${note}`);
};

const showDifferences = async (terminal: Terminal, { candidates, settings, control }: EvaluationReport): Promise<void> => {
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
      { title: `at all times, ${levelOf(settings.alpha)}` },
      right('difference'),
      { title: `at all times, ${levelOf(control.alphaEach)}` },
    ],
    rewards.map(({ name, reward }) => {
      const estimate = recommendedOf(reward);
      return [
        inLine(name),
        reward.recommended,
        estimate === undefined ? '' : valueInWords('reward', estimate),
        estimate === undefined ? '' : atAllTimes(estimate, scaleOf('reward', [estimate.value], estimate.intervals).plain),
        ...differenceInWords('reward', reward.difference),
      ];
    }),
  );
  await terminal.line();
  for (const line of differencePlot(candidates, 'reward', plotWidth)) await terminal.line(line);
};

const plotWidth = 100;

/** A line for each candidate that would learn, as its figures mean different things by how it was let learn, and for each that has no say in some records. */
const showMethods = async (terminal: Terminal, { candidates, source, counts }: EvaluationReport): Promise<void> => {
  const lines = candidates.flatMap(({ name, kind, method, diagnostics }) => {
    const said =
      kind === singleArmKind && diagnostics.records < counts.evaluated
        ? `one of several that could be chosen in ${grouped(diagnostics.records)} of the ${grouped(counts.evaluated)} decisions, as logged in the others`
        : methodInWords(method, source);
    return said === null ? [] : [`${inLine(name)}: ${said}`];
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
