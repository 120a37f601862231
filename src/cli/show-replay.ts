import type { DecidedAgain, ReplayTally } from '../replay/again/decide-again.ts';
import { reasons } from '../replay/again/reasons.ts';
import { grouped, milliseconds } from './numbers.ts';
import { writeTable } from './table.ts';
import { excerpt, type Terminal } from './terminal.ts';

/** What came of a period that was decided again: what `--json` gives. */
export type ReplayReport = ReplayTally & {
  readonly period: ReplayedPlace;
  readonly tenant: string | null;
  /** The state that it began with, see docs/replay.md. */
  readonly state: { readonly sequence: number; readonly from: 'clickhouse' | 'log'; readonly missing: number };
  readonly tookMs: number;
};

/** Sequences, and when the log took the first and the last decision. */
export type ReplayedPlace = {
  readonly from: number;
  readonly to: number;
  readonly firstDecidedAt: string | null;
  readonly lastDecidedAt: string | null;
};

export const showReplay = async (terminal: Terminal, report: ReplayReport): Promise<void> => {
  const { decisions, equal, different, unchecked, byReason, examples } = report;
  await terminal.line(placeInWords(report));
  await writeTable(
    terminal,
    ['decisions', 'equal', 'different', 'not checked'].map((title) => ({ title, align: 'right' as const })),
    [[decisions, equal, different, unchecked].map(grouped)],
  );
  if (equal === decisions) {
    await terminal.line(terminal.style('green', `\nevery decision comes out the same (${milliseconds(report.tookMs)})`));
    return;
  }
  const seen = reasons.filter((reason) => byReason[reason] > 0);
  await terminal.line(terminal.style('red', `\n${grouped(decisions - equal)} do not come out the same:`));
  await writeTable(
    terminal,
    [{ title: 'reason' }, { title: 'decisions', align: 'right' }, { title: 'meaning' }],
    seen.map((reason) => [reason, grouped(byReason[reason]), meanings[reason]]),
  );
  if (examples.length === 0) return;
  await terminal.line('\nthe first of them:');
  for (const example of examples) await showExample(terminal, example);
};

const meanings: Readonly<Record<(typeof reasons)[number], string>> = {
  'out-of-reach': 'the state it names is further back than states are kept here',
  unreadable: 'the message of the decision cannot be understood',
  'feature-version': 'made from features of a version that this code does not know, or weighs otherwise',
  tampered: 'the record contradicts itself: it was changed after it was made',
  'policy-version': 'another policy decided than the one that the log has in force',
  'missing-event': 'messages that the state was made of are missing, or cannot be understood',
  code: 'the code decides differently now, or a figure was changed',
};

export const placeInWords = ({ period, tenant, state }: Pick<ReplayReport, 'period' | 'tenant' | 'state'>): string =>
  `messages ${period.from} to ${period.to}${tenant === null ? '' : `, tenant ${tenant}`} (${period.firstDecidedAt ?? ''} to ${period.lastDecidedAt ?? ''}), from the state at ${state.sequence} ${state.from === 'log' ? 'by the log alone' : 'by ClickHouse'}\n`;

/** Figures of one decision that are shown; all are in --json and --out. */
const mostFigures = 5;

const showExample = async (terminal: Terminal, example: Exclude<DecidedAgain, { kind: 'equal' }>): Promise<void> => {
  const { sequence, tenant, requestId, reason, sentence } = example;
  const place = `#${sequence} ${excerpt(`${tenant ?? ''} ${requestId ?? ''}`, 80)}`;
  await terminal.line(`${terminal.style('bold', place)}  ${reason}: ${excerpt(sentence, 300)}`);
  if (example.kind !== 'different') return;
  const { differences } = example;
  for (const { what, logged, recomputed } of differences.slice(0, mostFigures))
    await terminal.line(`    ${excerpt(what, 60)}: ${excerpt(logged, 60)} in the log, ${excerpt(recomputed, 60)} now`);
  if (differences.length > mostFigures) await terminal.line(`    and ${differences.length - mostFigures} more`);
};
