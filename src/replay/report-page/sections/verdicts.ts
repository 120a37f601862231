import type { CandidateReport, EvaluationReport, Warning } from '../../evaluation/report.ts';
import { count, percent, timeText } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { methodWords, verdictWords } from '../words.ts';

/** What was asked, and the answer for each candidate with everything that speaks against believing it. */
export const verdicts = (report: EvaluationReport): Html => {
  const { candidates } = report;
  const [only] = candidates;
  const asked =
    candidates.length === 1 && only !== undefined
      ? html`May ${only.name} take the traffic?`
      : html`May one of ${candidates.length} candidates take the traffic?`;
  return html`<header>
      <p class="kind">Off-policy evaluation</p>
      <h1>${asked}</h1>
      <p class="lead">${question(report)}</p>
    </header>
    <section id="verdict" aria-labelledby="verdict-title">
      <h2 id="verdict-title">Verdict</h2>
      ${candidates.map(verdict)}${warnings('All candidates', report.warnings)}
    </section> `;
};

const question = ({ candidates, counts, loggers, period }: EvaluationReport): string => {
  const [first] = loggers;
  const total = loggers.reduce((sum, { records }) => sum + records, 0);
  const others = loggers.length - 1;
  const logger =
    first === undefined
      ? 'the logging policy'
      : others === 0
        ? first.policy
        : `${first.policy} (${percent(first.records / total)} of them) and ${others} other ${others === 1 ? 'policy' : 'policies'}`;
  const whose = period.tenant === null ? '' : ` of tenant ${period.tenant}`;
  return `${count(counts.evaluated)} decisions${whose} were made by ${logger} between ${timeText(period.firstAt)} and ${timeText(period.lastAt)} UTC. Would ${candidates.length === 1 ? 'the candidate' : 'a candidate'} have earned more on the same requests?`;
};

const verdict = ({
  name,
  kind,
  fingerprint,
  file,
  method,
  verdict: { kind: answer, sentence, refusals, forced },
  warnings: own,
}: CandidateReport): Html => {
  const { label, mark, style } = verdictWords[answer];
  return html`<article class="verdict ${style}">
    <h3><span class="badge">${mark} ${label}</span> ${name}</h3>
    <p class="sentence">${sentence}</p>
    ${
      refusals.length === 0
        ? null
        : html`<div class="${forced ? 'forced' : 'reasons'}">
            <p>${forced ? 'Concluded in spite of these reasons to refuse (--force):' : 'Reasons to refuse:'}</p>
            <ul>
              ${refusals.map(({ what }) => html`<li>${what}</li>`)}
            </ul>
          </div> `
    }${warnings(null, own)}
    <p class="small">
      ${kind}
      policy${fingerprint === '' ? null : html` <code>${fingerprint}</code>`}${file === null ? null : html` from <code>${file}</code>`},
      evaluated ${methodWords[method.name]}: ${method.why}
    </p>
  </article> `;
};

const warnings = (title: string | null, all: readonly Warning[]): Html | null =>
  all.length === 0
    ? null
    : html`<div class="warnings">
        ${title === null ? null : html`<h3>${title}</h3>`}
        <ul>
          ${all.map(({ code, what, consequence }) => html`<li data-code="${code}"><strong>${what}</strong>${/[.!?]$/.test(what) ? ' ' : ': '}${consequence}</li>`)}
        </ul>
      </div> `;
