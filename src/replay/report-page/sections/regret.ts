import type { CandidateReport, EvaluationReport } from '../../evaluation/report.ts';
import { drawChart } from '../charts/draw-chart.ts';
import { cumulativeRegret, regretChart } from '../charts/regret-chart.ts';
import { count, rounded } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { regretInWords } from '../regret-in-words.ts';
import { numberCell, row, table } from '../table.ts';
import { time } from './period.ts';

/** What was lost against the best single arm; nothing where single arms were not asked for. */
export const regret = async ({ regret: of, candidates, counts }: EvaluationReport): Promise<Html | null> => {
  if (of === null) return null;
  const best = candidates.find(({ name }) => name === of.best);
  return html`<section id="regret" aria-labelledby="regret-title">
    <h2 id="regret-title">Regret</h2>
    <p class="sentence">${regretInWords(of, counts.evaluated)}.</p>
    <p>
      What the best single arm, chosen wherever it could be, would have earned more on the same requests than was earned. The interval is
      for the largest difference, whichever arm it is of, with the intervals of all arms holding together; the estimate, as the largest of
      several, is a little too high. Below zero: choosing by request earned more than any single arm.
    </p>
    ${best === undefined || best.overTime.length === 0 ? null : await overTime(best)}
  </section> `;
};

const overTime = async ({ name, overTime: stretches }: CandidateReport): Promise<Html> => {
  const sums = cumulativeRegret(stretches);
  return html`<figure>
      <div class="scroll" role="region" aria-label="Regret over time: chart" tabindex="0">
        ${await drawChart(regretChart(name, stretches))}
      </div>
    </figure>
    <p class="small">A curve that flattens is a logger that has found the arm; one that goes on rising has not, or pays for exploring.</p>
    <details>
      <summary>Figures of the chart</summary>
      ${table(
        `Regret against ${name} by part of the period`,
        ['from', 'records', 'regret, added up'],
        stretches.map(({ firstAt, records }, i) => row(time(firstAt), [numberCell(records, count), numberCell(sums[i] ?? 0, signedSize)])),
      )}
    </details> `;
};

const signedSize = (value: number): string => `${value < 0 ? '\u2212' : '+'}${rounded(Math.abs(value))}`;
