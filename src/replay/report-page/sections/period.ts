import type { EvaluatedPeriod, EvaluationReport, Source } from '../../evaluation/report.ts';
import { count, timeText } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { facts } from '../table.ts';

/** What was looked at, and how to look at the same again. */
export const period = ({ command, madeAt, period: seen, source }: EvaluationReport): Html =>
  html`<section id="period" aria-labelledby="period-title">
    <h2 id="period-title">Frozen period</h2>
    ${facts([
      ['Records', html`${time(seen.firstAt)} to ${time(seen.lastAt)}, UTC`],
      ...places(seen),
      ['Tenant', seen.tenant ?? 'all'],
      ['Source', sourceText(source)],
      ['Made', html`${time(madeAt)}, UTC`],
    ])}
    <p>
      The same command makes the same figures
      again${source.kind === 'file' ? ' from the same file' : ', whatever is logged or judged later'}:
    </p>
    <pre class="command"><code>${command}</code></pre>
  </section> `;

const places = ({ fromSequence, toSequence, outcomesUpTo }: EvaluatedPeriod): readonly (readonly [string, string])[] => [
  ...(fromSequence === null || toSequence === null ? [] : [['Log sequences', `${count(fromSequence)} to ${count(toSequence)}`] as const]),
  ...(outcomesUpTo === null ? [] : [['Outcomes', `as they stood at sequence ${count(outcomesUpTo)}`] as const]),
];

const sourceText = (source: Source): Html | string =>
  source.kind === 'file'
    ? html`file <code>${source.file}</code>`
    : html`ClickHouse, of the log that was made ${time(source.logCreatedAt)}, UTC`;

export const time = (iso: string): Html => html`<time datetime="${iso}">${timeText(iso)}</time>`;
