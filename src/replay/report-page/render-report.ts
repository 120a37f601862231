import { createHash } from 'node:crypto';
import type { EvaluationReport } from '../evaluation/report.ts';
import { html, verbatim, type Html } from './html.ts';
import { differences } from './sections/differences.ts';
import { estimates } from './sections/estimates.ts';
import { exploration } from './sections/exploration.ts';
import { overTime } from './sections/over-time.ts';
import { period } from './sections/period.ts';
import { reading } from './sections/reading.ts';
import { records } from './sections/records.ts';
import { settings } from './sections/settings.ts';
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
        <main>
          ${verdicts(report)}${contents}${period(report)}${await differences(report)}${estimates(report)}${await weights(report)}${await overTime(report)}${await exploration(report)}${records(report)}${settings(report)}${reading()}${data(report)}
        </main>
      </body>
    </html> `;
  return page.markup;
};

const style = verbatim(`<style>${styleSheet}</style>`);

const contentPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(styleSheet).digest('base64')}'; base-uri 'none'; form-action 'none'`;

const contents = html`<nav aria-label="Contents">
  <ul>
    ${(
      [
        ['period', 'Frozen period'],
        ['differences', 'Against the logger'],
        ['estimates', 'All estimators'],
        ['weights', 'Overlap'],
        ['over-time', 'Over time'],
        ['exploration', 'Exploration'],
        ['records', 'Records'],
        ['settings', 'Settings'],
        ['reading', 'How to read this'],
        ['data', 'Data'],
      ] as const
    ).map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
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
