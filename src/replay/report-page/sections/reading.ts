import { html, type Html } from '../html.ts';

/** How to read the page, in short; docs/evaluation.md is the guide. */
export const reading = (): Html =>
  html`<section id="reading" aria-labelledby="reading-title">
    <h2 id="reading-title">How to read this</h2>
    <ol>
      <li>
        <strong>Verdict and warnings first.</strong> A refusal means that the log does not hold the answer, not that the candidate is bad. A
        forced verdict is a guess with figures.
      </li>
      <li>
        <strong>Then the interval of the difference.</strong> All values inside it are in keeping with the log. If it touches zero,
        candidate and logger cannot be told apart yet.
      </li>
      <li>
        <strong>Then the promise of the interval.</strong> Was the log made by a policy that learns, or did you look more than once? Then
        only <em>anytime</em> and <em>asymptotic</em> intervals count.
      </li>
      <li><strong>Then the overlap.</strong> Few effective records: one more or fewer would change the answer.</li>
      <li>
        <strong>Do not believe any of it</strong> when requests of tomorrow are not like those of the period, when the candidate would
        itself change what is asked, or when logged probabilities are not those that arms were drawn with.
      </li>
    </ol>
    <h3>Estimators</h3>
    <dl class="promises">
      ${estimators.map(
        ([name, meaning]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${meaning}</dd>
          </div>`,
      )}
    </dl>
    <h3>Sources</h3>
    <ul class="sources">
      ${sources.map((source) => html`<li>${source}</li>`)}
    </ul>
  </section> `;

const estimators = [
  ['ipw', 'weighted mean of what was earned. Unbiased; wide where weights are large. Horvitz and Thompson.'],
  ['snipw', 'divided by the sum of weights: stays within the range of rewards, with a little bias. Swaminathan and Joachims.'],
  ['dm', 'the reward model alone: narrow, and wrong where the model is. Its intervals do not count that.'],
  [
    'dr, sndr',
    'the model, corrected by the weighted errors of it: right if the probabilities or the model are. Dudík et al.; Thomas and Brunskill.',
  ],
  ['…_clip…', 'no weight counts more than the limit: less noise, some bias.'],
  ['switch-dr', 'the model alone where the weight exceeds the limit. Wang et al.'],
  ['dr-os', 'weights shrunk by the bound on the mean squared error. Su et al. 2020.'],
  ['sg-ipw', 'weights shrunk smoothly, with sub-Gaussian tails. Metelli et al.'],
] as const;

const sources = [
  'Horvitz and Thompson, A generalization of sampling without replacement from a finite universe, JASA 1952.',
  'Swaminathan and Joachims, The self-normalized estimator for counterfactual learning, NeurIPS 2015.',
  'Dudík, Erhan, Langford and Li, Doubly robust policy evaluation and optimization, Statistical Science 2014: also replay of policies that learn.',
  'Li, Chu, Langford and Wang, Unbiased offline evaluation of contextual-bandit-based news article recommendation algorithms, WSDM 2011: replay with rejection.',
  'Thomas and Brunskill, Data-efficient off-policy policy evaluation for reinforcement learning, ICML 2016.',
  'Wang, Agarwal and Dudík, Optimal and adaptive off-policy evaluation in contextual bandits, ICML 2017.',
  'Su, Dimakopoulou, Krishnamurthy and Dudík, Doubly robust off-policy evaluation with shrinkage, ICML 2020.',
  'Metelli, Russo and Restelli, Subgaussian and differentiable importance sampling for off-policy evaluation and learning, NeurIPS 2021.',
  'Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, Anytime-valid off-policy inference for contextual bandits, ACM/IMS Journal of Data Science 2024.',
  'Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 2024.',
  'Kish, Survey Sampling, 1965: effective sample size. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 1979.',
] as const;
