import { createHash } from 'node:crypto';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { presentable } from '../../../src/replay/report-page/html.ts';
import { renderReport } from '../../../src/replay/report-page/render-report.ts';
import { quantityWords } from '../../../src/replay/report-page/words.ts';
import type { EvaluationReport } from '../../../src/replay/evaluation/report.ts';
import { sourceFiles } from '../../support/architecture.ts';
import { hostileName, madeUpReport, quantityNames } from './made-up-report.ts';
import { attribute, parsedPage, rawTextOf, textOf } from './parsed-page.ts';

const shown = (text: string): string => presentable(text).replace(/\s+/g, ' ').trim();

/** Whatever can be missing is missing. */
const bareReport: EvaluationReport = {
  ...madeUpReport,
  source: { kind: 'file', file: '/logs/<b>open bandit</b>.csv' },
  period: { ...madeUpReport.period, fromSequence: null, toSequence: null, tenant: null, outcomesUpTo: null },
  settings: { ...madeUpReport.settings, weights: null, prices: {}, rewardModel: 'none', force: false },
  loggers: [],
  onPolicy: [],
  exploration: { smallestPropensity: 0.1, floor: null, evenness: null },
  division: { withChoice: 0, untold: 0, parts: [], arms: [] },
  traffic: null,
  regret: null,
  candidates: madeUpReport.candidates.slice(3, 4).map((candidate) => ({
    ...candidate,
    quantities: candidate.quantities
      .slice(0, 1)
      .map((of) => ({ ...of, estimates: [], difference: { value: 0, intervals: [], p: null, pAdjusted: null } })),
  })),
  control: { comparisons: 1, alphaEach: 0.05, adjustment: 'holm' },
  warnings: [],
};

describe.each([
  ['a report with everything', madeUpReport],
  ['a report with hardly anything', bareReport],
])('the page of %s', (_, report) => {
  let text = '';
  let page: ReturnType<typeof parsedPage>;
  const complaints = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  beforeAll(async () => {
    text = await renderReport(report);
    page = parsedPage(text);
  });

  it('is well-formed, and drawn without a complaint', () => {
    expect(page.errors).toEqual([]);
    expect(complaints.mock.calls).toEqual([]);
  });

  it('runs nothing, loads nothing, and says so to the browser', () => {
    expect(page.named('script', 'iframe', 'object', 'embed', 'link', 'img', 'image', 'use', 'form', 'base')).toEqual([]);
    const attributes = page.elements.flatMap(({ attrs }) => attrs);
    expect(attributes.filter(({ name }) => name.startsWith('on') || ['src', 'srcset', 'action', 'style'].includes(name))).toEqual([]);
    expect(attributes.filter(({ name, value }) => name.endsWith('href') && !value.startsWith('#'))).toEqual([]);
    expect(attributes.filter(({ value }) => /url\(|javascript:/i.test(value))).toEqual([]);
    const [style] = page.named('style').map(rawTextOf);
    expect(style).not.toMatch(/url\(|@import|https?:/);
    const policy = page.named('meta').find((meta) => attribute(meta, 'http-equiv') === 'Content-Security-Policy');
    const hash = createHash('sha256').update(style!).digest('base64');
    expect(attribute(policy!, 'content')).toBe(`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`);
  });

  it('shows what comes from outside as text', () => {
    const [title] = page.named('title').map(textOf);
    expect(title).toContain(shown(hostileName));
    expect(text).not.toMatch(/[\u0000\u202e]/);
    expect(text).not.toContain('<b>');
  });

  it('has every id once, and every reference leads to one', () => {
    const ids = page.elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const references = page.elements.flatMap((element) => [
      ...(attribute(element, 'aria-labelledby')?.split(' ') ?? []),
      ...(attribute(element, 'href')?.slice(1).split(' ') ?? []),
    ]);
    expect(references.filter((id) => !ids.includes(id))).toEqual([]);
  });

  it('can be read without eyes: charts have titles and descriptions, tables captions and headings', () => {
    for (const svg of page.named('svg')) {
      expect(attribute(svg, 'role')).toBe('img');
      expect(svg.childNodes.filter((node) => 'tagName' in node).map((node) => node.tagName)).toEqual(
        expect.arrayContaining(['title', 'desc']),
      );
    }
    for (const table of page.named('table')) {
      const parts = table.childNodes.flatMap((node) => ('tagName' in node ? [node.tagName] : []));
      expect(parts).toEqual(['caption', 'thead', 'tbody']);
    }
    for (const heading of page.named('th')) expect(['col', 'row']).toContain(attribute(heading, 'scope'));
  });

  it('has no number that is none', () => {
    const words = page
      .named('main')
      .map(textOf)
      .join(' ')
      .replace(/\{"version".*/, '');
    expect(words).not.toMatch(/\b(NaN|Infinity|undefined|null)\b|\[object/);
    for (const drawn of page.named('svg').flatMap((svg) => svg.childNodes)) expect(rawTextOf(drawn)).not.toMatch(/NaN|undefined/);
    expect(text).not.toMatch(/(?:d|transform|x2|y2|width)="[^"]*NaN/);
  });

  it('holds the whole report for machines', () => {
    const data = page.elements.find((element) => attribute(element, 'id') === 'report-json');
    expect(JSON.parse(rawTextOf(data!))).toEqual(report);
  });

  it('is the same to the byte, also when several are made at once', async () => {
    const [one, other] = await Promise.all([renderReport(report), renderReport(structuredClone(report))]);
    expect(one).toBe(text);
    expect(other).toBe(text);
  });
});

describe('what the page says', () => {
  let page: ReturnType<typeof parsedPage>;
  beforeAll(async () => {
    page = parsedPage(await renderReport(madeUpReport));
  });
  const section = (id: string) => page.elements.find((element) => attribute(element, 'id') === id)!;

  it('begins with the verdicts, with everything that speaks against them', () => {
    const articles = page.named('article').map(textOf);
    expect(articles).toHaveLength(madeUpReport.candidates.length);
    for (const [i, { name, verdict, warnings }] of madeUpReport.candidates.entries())
      for (const said of [
        name,
        verdict.sentence,
        ...verdict.refusals.map(({ what }) => what),
        ...warnings.flatMap(({ what, consequence }) => [what, consequence]),
      ])
        expect(articles[i]).toContain(shown(said));
    expect(articles.map((article) => /Better|Worse|Cannot tell|Refused/.exec(article)?.[0])).toEqual([
      'Better',
      'Worse',
      'Cannot tell',
      'Refused',
      'Better',
    ]);
    expect(articles[3]).toContain('Reasons to refuse:');
    expect(articles[4]).toContain('Concluded in spite of these reasons to refuse (--force):');
    expect(textOf(section('verdict'))).toContain('these records are of 12 conversations: intervals of a fixed size');
    expect(textOf(section('verdict'))).toContain('Two policies made these decisions. Each decision is weighed');
    expect(page.named('section').map((element) => attribute(element, 'id'))).toEqual([
      'verdict',
      'period',
      'differences',
      'regret',
      'division',
      'shadowed',
      'estimates',
      'weights',
      'over-time',
      'exploration',
      'records',
      'settings',
      'reading',
      'data',
    ]);
  });

  it('says what was looked at and how to look again', () => {
    const words = textOf(section('period'));
    expect(words).toContain('2026-05-01 09:12:00 to 2026-05-31 23:59:59, UTC');
    expect(words).toContain('1,204 to 884,213');
    expect(words).toContain(madeUpReport.command);
  });

  it('draws and tables every quantity of every candidate', () => {
    const differences = section('differences');
    const tables = page.named('table').filter((table) => textOf(table).includes('candidates and logger'));
    expect(tables.map((table) => table.childNodes.map(textOf).find((caption) => caption !== ''))).toEqual(
      quantityNames.map((name) => `${quantityWords[name].title}: candidates and logger`),
    );
    for (const table of tables) for (const { name } of madeUpReport.candidates) expect(textOf(table)).toContain(shown(name));
    for (const name of quantityNames) expect(textOf(differences)).toContain(quantityWords[name].title);
    expect(page.named('svg')).toHaveLength(quantityNames.length + 5 + 4 + 1 + 2);
    for (const svg of page.named('svg').slice(0, quantityNames.length)) expect(textOf(svg)).toContain('patient-thompson');
  });

  it('rounds to what the interval can tell, with the exact number beside', () => {
    const cells = page.named('td');
    const cell = (said: string) => cells.find((td) => textOf(td) === said);
    const [first] = madeUpReport.candidates[0]!.quantities;
    expect(attribute(cell('+0.029')!, 'title')).toBe(String(first!.difference.value));
    const { low, high } = first!.difference.intervals[0]!;
    expect(attribute(cell('+0.010 to +0.047')!, 'title')).toBe(`${low} to ${high}`);
    expect(textOf(section('differences'))).toContain('betting, 99 %');
  });

  it('names the promise of each interval and the estimator that is believed', () => {
    const words = textOf(section('estimates'));
    for (const promise of ['anytime', 'asymptotic', 'fixed size']) expect(words).toContain(promise);
    expect(words).toContain('sndr recommended');
    expect(words).toContain('ipw by slope, lambda 10');
  });
});

describe('charts', () => {
  it('cost nothing until one is drawn', () => {
    const eager = sourceFiles(path.resolve(import.meta.dirname, '../../../src')).filter(({ text }) =>
      /^(import|export) (?!type\b)[^;]*from 'vega/m.test(text),
    );
    expect(eager.map(({ file }) => file)).toEqual([]);
  });
});
