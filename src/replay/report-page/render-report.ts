import { createHash } from 'node:crypto';
import type { EvaluationReport } from '../evaluation/report.ts';
import { html, verbatim, type Html } from './html.ts';
import { differences } from './sections/differences.ts';
import { division } from './sections/division.ts';
import { estimates } from './sections/estimates.ts';
import { exploration } from './sections/exploration.ts';
import { overTime } from './sections/over-time.ts';
import { period } from './sections/period.ts';
import { reading } from './sections/reading.ts';
import { records } from './sections/records.ts';
import { regret } from './sections/regret.ts';
import { settings } from './sections/settings.ts';
import { shadowed } from './sections/shadowed.ts';
import { verdicts } from './sections/verdicts.ts';
import { weights } from './sections/weights.ts';
import { styleSheet } from './style.ts';

/**
 * An evaluation as one HTML file, in the order in which somebody who must decide reads it.
 *
 * 1. Nothing is loaded and nothing runs: no script, no font, no address. The policy of the page forbids it, but for its one style sheet, by hash.
 * 2. What comes from outside is text (`html.ts`).
 * 3. The same report gives the same bytes.
 * 4. Numbers are rounded for people; exact ones are their titles, and the whole report stands at the end as JSON.
 */
export const renderReport = async (report: EvaluationReport): Promise<string> => {
  const names = report.candidates.map(({ name }) => name).join(', ');
  const sections = await sectionsOf(report);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${contentPolicy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Off-policy evaluation: ${names}</title>
        ${style}
      </head>
      <body>
        <main>${verdicts(report)}${contents(sections)}${sections.map(({ content }) => content)}</main>
      </body>
    </html> `;
  return page.markup;
};

const style = verbatim(`<style>${styleSheet}</style>`);

const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(styleSheet).digest('base64')}'; base-uri 'none'; form-action 'none'`;

type Section = { readonly id: string; readonly title: string; readonly content: Html };

/** Those that there is something to say in. */
const sectionsOf = async (report: EvaluationReport): Promise<readonly Section[]> =>
  (
    [
      ['period', 'Frozen period', period(report)],
      ['differences', 'Against the logger', await differences(report)],
      ['regret', 'Regret', await regret(report)],
      ['division', 'Shares of the arms', await division(report)],
      ['shadowed', 'Shadow comparison', shadowed(report)],
      ['estimates', 'All estimators', estimates(report)],
      ['weights', 'Overlap', await weights(report)],
      ['over-time', 'Over time', await overTime(report)],
      ['exploration', 'Exploration', await exploration(report)],
      ['records', 'Records', records(report)],
      ['settings', 'Settings', settings(report)],
      ['reading', 'How to read this', reading()],
      ['data', 'Data', data(report)],
    ] as const
  ).flatMap(([id, title, content]) => (content === null ? [] : [{ id, title, content }]));

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents">
    <ul>
      ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
    </ul>
  </nav> `;

/** Text of this element is the report. Control characters that the page would show as dots are written as JSON's escapes. */
const data = (report: EvaluationReport): Html =>
  html`<section id="data" aria-labelledby="data-title">
    <h2 id="data-title">Data</h2>
    <details>
      <summary>This report as JSON, with all digits</summary>
      <pre class="data" id="report-json">${JSON.stringify(report).replace(/[^\n -~]/g, escapedCharacter)}</pre>
    </details>
  </section> `;

const escapedCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
