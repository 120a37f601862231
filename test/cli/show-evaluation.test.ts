import { describe, expect, it } from 'vitest';
import { showEvaluation } from '../../src/cli/show-evaluation.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import type { CandidateReport, Estimate, EvaluationReport, QuantityName } from '../../src/replay/evaluation/report.ts';
import { renderReport } from '../../src/replay/report-page/render-report.ts';
import { madeUpReport } from '../replay/report-page/made-up-report.ts';
import { parsedPage, textOf } from '../replay/report-page/parsed-page.ts';

const linesOf = async (report: EvaluationReport, { all = false } = {}): Promise<readonly string[]> => {
  const lines: string[] = [];
  await showEvaluation(
    {
      ...openTerminal(),
      style: (_, text) => text,
      isInteractive: false,
      line: (text = '') => {
        lines.push(...text.split('\n'));
        return Promise.resolve();
      },
    },
    report,
    { all },
  );
  return lines;
};
const textOfPage = async (report: EvaluationReport): Promise<string> =>
  parsedPage(await renderReport(report))
    .named('section')
    .slice(0, -1)
    .map(textOf)
    .join(' ');

type Change = (of: CandidateReport['quantities'][number]) => CandidateReport['quantities'][number];

/** The made-up report with two candidates, one quantity of the first of them changed. */
const changed = (name: QuantityName, change: Change, own: Partial<CandidateReport['diagnostics']> = {}): EvaluationReport => ({
  ...madeUpReport,
  candidates: madeUpReport.candidates.slice(0, 2).map((candidate, i) =>
    i > 0
      ? candidate
      : {
          ...candidate,
          diagnostics: { ...candidate.diagnostics, unsupported: 0, ...own },
          quantities: candidate.quantities.map((of) => (of.quantity === name ? change(of) : of)),
        },
  ),
  control: { comparisons: 2, alphaEach: 0.025, adjustment: 'holm' },
});

const believed = (of: Parameters<Change>[0], estimate: Partial<Estimate>): readonly Estimate[] =>
  of.estimates.map((one) => (one.estimator === of.recommended ? { ...one, ...estimate } : one));
const betting = (low: number, high: number) => ({ method: 'betting', guarantee: 'anytime', confidence: 0.975, low, high }) as const;

it('says the level of each column of intervals, and shows no end that is not zero as zero', async () => {
  const lines = await linesOf(
    changed('reward', (of) => ({ ...of, difference: { ...of.difference, value: -0.05, intervals: [betting(-0.1, -0.00004)] } })),
    { all: true },
  );
  expect(lines.find((line) => line.startsWith('reward of'))).toMatch(/value +at all times, 95 % +difference +at all times, 97.5 %$/);
  expect(lines.find((line) => /^cheap-first +sndr/.test(line))).toMatch(/-0\.050 +-0\.100 to -0\.000040$/);
  expect(lines.find((line) => line.startsWith('estimator'))).toContain('betting, 95 %');
  expect(lines.join('\n')).not.toMatch(/-0\.0+(?![0-9])|NaN|null|undefined/);
});

it('shows names without what would steer a terminal', async () => {
  expect((await linesOf(madeUpReport)).join('\n')).not.toMatch(/[\u202e\u0000]/);
  const forged = 'a\nbetter: b is better\tby far\u001b[31m';
  const said = JSON.parse(
    JSON.stringify(madeUpReport).replaceAll('patient-thompson', JSON.stringify(forged).slice(1, -1)),
  ) as EvaluationReport;
  const renamed = {
    ...said,
    division: { ...said.division, arms: said.division.arms.map((one) => ({ ...one, arm: `${forged}${one.arm}` })) },
  };
  for (const all of [false, true]) {
    const lines = await linesOf(renamed, { all });
    expect(lines.filter((line) => line.startsWith('better: b is'))).toEqual([]);
    expect(lines.join('\n')).not.toMatch(/[\t\u001b]/);
    // What was taken out shows.
    expect(lines.join('\n')).toContain('a\u00b7better: b is better\u00b7by far\u00b7[31m');
  }
});

describe('an estimate outside its own interval', () => {
  const report = changed('reward', (of) => ({
    ...of,
    estimates: believed(of, { value: 0.95, intervals: [betting(0.7, 0.8)] }),
    difference: { ...of.difference, value: 0.2, intervals: [betting(0.01, 0.1)] },
  }));
  const estimate = 'the estimate lies outside the interval that holds at all times; trust the interval';
  const difference = 'the difference lies outside the interval that holds at all times; trust the interval';

  it('is told below the table, and hollow in the plot', async () => {
    const lines = await linesOf(report);
    expect(lines).toContain(`cheap-first, reward: ${estimate}`);
    expect(lines).toContain(`cheap-first, reward: ${difference}`);
    expect(lines.filter((line) => line.includes('○'))).toHaveLength(1);
    expect(await linesOf(madeUpReport).then((plain) => plain.join())).not.toMatch(/outside|○/);
    expect(await linesOf(report, { all: true })).toContain(`sndr: ${estimate}`);
  });

  it('is told on the page, with a hollow point in the chart', async () => {
    const page = await textOfPage(report);
    for (const said of [`cheap-first: ${estimate}.`, `cheap-first: ${difference}.`, `sndr: ${estimate}.`]) expect(page).toContain(said);
    const hollow = /fill="var\(--paper\)" stroke="var\(--ink\)"/g;
    expect((await renderReport(report)).match(hollow)).toHaveLength(1);
    expect((await renderReport(madeUpReport)).match(hollow)).toBeNull();
  });
});

describe('what is not known of a cost', () => {
  const unknown = <Part extends Pick<Estimate, 'intervals'>>(part: Part): Part => ({
    ...part,
    intervals: part.intervals.map((interval) => ({ ...interval, low: null, high: null })),
  });
  const without: Change = (of) => ({
    ...of,
    estimates: of.estimates.map((one) => ({ ...unknown(one), standardError: null })),
    difference: { ...unknown(of.difference), p: null, pAdjusted: null },
  });
  const leftOut: Change = (of) => ({
    ...of,
    estimates: of.estimates.map((one) => ({ ...one, standardError: null, intervals: [] })),
    difference: { ...of.difference, p: null, pAdjusted: null, intervals: [] },
  });

  it.each([
    ['null', without],
    ['left out', leftOut],
  ])('is said with its reason, in text and on the page: intervals that are %s', async (_, change) => {
    const report = changed('costUsd', change, { unsupported: 0.12 });
    const lines = await linesOf(report, { all: true });
    expect(lines).toContain('cheap-first, costUsd: how far it may be off is not known: part of its choices was never logged');
    expect(lines.find((line) => /^cheap-first +contextual/.test(line))).toMatch(/\$0\.0000262 ±\?/);
    expect(lines.join('\n')).not.toMatch(/NaN|null|undefined/);
    const page = await textOfPage(report);
    expect(page).toContain('cheap-first: how far it may be off is not known: part of its choices was never logged.');
    expect(page).not.toMatch(/\b(NaN|null|undefined)\b/);
  });

  it('is not put down to choices that were all logged', async () => {
    expect(await linesOf(changed('costUsd', without))).toContain(
      'cheap-first, costUsd: how far it may be off is not known: its records do not show how far others spread',
    );
  });
});

describe('costs of a request', () => {
  it('have the same digits in text and page, whoever else is evaluated', async () => {
    const costs: Change = (of) => ({
      ...of,
      estimates: believed(of, { value: 0.000561234, standardError: 0.0000312 }),
      difference: { ...of.difference, value: 0.0000152, intervals: [betting(0.0000021, 0.00010111)] },
    });
    const shaky = changed('costUsd', costs);
    const [first, second] = shaky.candidates;
    const wide = {
      ...second!,
      quantities: second!.quantities.map((of) => ({ ...of, difference: { ...of.difference, intervals: [betting(-3, 5)] } })),
    };
    const report = { ...shaky, candidates: [first!, wide] };
    expect((await linesOf(report)).join('\n')).toContain('$0.000561 ± 0.000031');
    const page = await textOfPage(report);
    expect(page).toContain('+$0.000015');
    expect(page).toContain('$0.0000021 to +$0.0001011');
    expect(page).toContain('$0.000561');
    expect(page).toContain('$0.0000231');
    expect(page).not.toContain('$0.0000 ');
  });
});
