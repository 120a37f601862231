import { policiesAmong } from '../replay/evaluation/single-arm.ts';
import type { EvaluationReport } from '../replay/evaluation/report.ts';
import { regretInWords } from '../replay/report-page/regret-in-words.ts';
import { inAscii } from './in-ascii.ts';
import { grouped, percent } from './numbers.ts';
import { writeTable } from './table.ts';
import { inLine, type Terminal } from './terminal.ts';

const mostRows = 12;
const right = (title: string) => ({ title, align: 'right' as const });

/** How requests were divided among the arms, and how each policy would have divided them. Single arms, whose shares are plain, have no column. */
export const showDivision = async (
  terminal: Terminal,
  { division: { arms, withChoice, untold }, candidates, counts }: EvaluationReport,
): Promise<void> => {
  const asked = policiesAmong(candidates);
  const most = (share: (typeof arms)[number]): number => Math.max(share.share, ...asked.map(({ at }) => share.candidates[at] ?? 0));
  const shown = arms.toSorted((a, b) => most(b) - most(a)).slice(0, mostRows);
  await terminal.line();
  await writeTable(
    terminal,
    [{ title: 'share of the decisions' }, right('as logged'), ...asked.map(({ name }) => right(inLine(name)))],
    arms
      .filter((arm) => shown.includes(arm))
      .map(({ arm, share, candidates: own }) => [inLine(arm), percent(share), ...asked.map(({ at }) => percent(own[at] ?? 0))]),
  );
  if (shown.length < arms.length) await terminal.line(`and ${arms.length - shown.length} arms of smaller shares: --json has them`);
  const withoutChoice = counts.evaluated - withChoice - untold;
  if (withoutChoice > 0) await terminal.line(`in ${grouped(withoutChoice)} of the decisions one arm alone could be chosen`);
  if (untold > 0 && untold < counts.evaluated)
    await terminal.line(`${grouped(untold)} of the decisions do not name what else could be chosen`);
};

/** What was lost against the best single arm, and how much of it is certain. */
export const showRegret = async (terminal: Terminal, { regret, counts }: EvaluationReport): Promise<void> => {
  if (regret === null) return;
  await terminal.line();
  await terminal.line(`regret: ${inLine(inAscii(regretInWords(regret, counts.evaluated)))}`);
};
