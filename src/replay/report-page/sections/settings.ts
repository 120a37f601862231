import type { EvaluationReport } from '../../evaluation/report.ts';
import { count, percent, rounded } from '../figures.ts';
import { html, type Html } from '../html.ts';
import { facts, numberCell, row, table } from '../table.ts';
import { rewardModelWords } from '../words.ts';

export const settings = ({ settings: of }: EvaluationReport): Html => {
  const prices = Object.entries(of.prices);
  return html`<section id="settings" aria-labelledby="settings-title">
    <h2 id="settings-title">Settings</h2>
    ${facts([
      ['Level', `alpha ${rounded(of.alpha)}: a statement may be wrong in ${percent(of.alpha)} of evaluations`],
      [
        'Reward weights',
        of.weights === null
          ? 'those in force for each record'
          : Object.entries(of.weights)
              .map(([part, weight]) => `${part} ${weight}`)
              .join(', '),
      ],
      ['Reward model', rewardModelWords[of.rewardModel]],
      ['Bootstrap', html`${count(of.resamples)} resamples, seed <code>${of.seed}</code>`],
      ['Forced', of.force ? 'yes: a verdict is given where it would be refused' : 'no'],
      ...(prices.length === 0 ? [['Prices', 'those that were paid'] as const] : []),
    ])}${
      prices.length === 0
        ? null
        : table(
            'Prices that take the place of those that were paid, dollars for a million tokens',
            ['arm', 'input', 'output'],
            prices.map(([arm, price]) =>
              row(arm, [numberCell(price.inputUsdPerMillionTokens, String), numberCell(price.outputUsdPerMillionTokens, String)]),
            ),
          )
    }
  </section> `;
};
