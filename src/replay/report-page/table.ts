import type { Interval } from '../evaluation/report.ts';
import { endsText } from './figures.ts';
import { html, type Html } from './html.ts';

/** Of a column of words; others hold numbers, but the first. */
type TextTitle = { readonly text: string };

/** A table under its caption, wide ones in a frame that scrolls and can be reached by keyboard. The first cell of each row is its heading. */
export const table = (caption: string, titles: readonly (string | Html | TextTitle)[], rows: readonly Html[]): Html =>
  html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${titles.map(heading)}
        </tr>
      </thead>
      <tbody>
        ${rows.map((row) => html`${row} `)}
      </tbody>
    </table>
  </div> `;

const heading = (title: string | Html | TextTitle, column: number): Html => {
  const isText = typeof title === 'object' && 'text' in title;
  return html`<th scope="col" class="${isText || column === 0 ? 'words' : 'number'}">${isText ? title.text : title}</th>`;
};

export const row = (heading: string | Html, cells: readonly Html[]): Html =>
  html`<tr>
    <th scope="row">${heading}</th>
    ${cells}
  </tr>`;

export const textCell = (text: string | Html): Html => html`<td>${text}</td>`;

const nothing = html`<td class="number">–</td>`;

/** Rounded for people; the exact number is its title. */
export const numberCell = (value: number | null, say: (value: number) => string): Html =>
  value === null ? nothing : html`<td class="number" title="${String(value)}">${say(value)}</td>`;

export const intervalCell = (interval: Pick<Interval, 'low' | 'high'> | undefined, say: (value: number) => string): Html =>
  interval === undefined ? nothing : html`<td class="number" title="${endsText(interval, String)}">${endsText(interval, say)}</td>`;

/** Below a table: what its rows do not say. */
export const notes = (all: readonly string[]): Html | null =>
  all.length === 0
    ? null
    : html`<ul class="notes small">
        ${all.map((note) => html`<li>${note}</li>`)}
      </ul> `;

/** Names and what they stand for. */
export const facts = (entries: readonly (readonly [string, string | Html])[]): Html =>
  html`<dl class="facts">
    ${entries.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl> `;
