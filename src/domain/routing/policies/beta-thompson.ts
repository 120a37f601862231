import { everyRequest } from '../evidence.ts';
import type { Sums } from '../sums.ts';
import { normalPropensities } from '../normal-propensities.ts';
import { propensities, type BetaParameters } from '../propensities.ts';
import { rewardSum, trialsOf } from '../reading.ts';
import type { RewardWeights } from '../../reward/reward.ts';
import { remembering } from './remembering.ts';
import { nothingKnown, warmStartOf, type Known } from './warm-start.ts';
import type { Policy, SpecOf } from './policy.ts';

/**
 * Beta-Bernoulli Thompson sampling (Thompson 1933; Chapelle and Li 2011) with its probabilities made explicit: what sampling every posterior and taking the largest does on average is
 * computed first, and the arm is drawn from that very vector.
 *
 * Rewards are fractions: a reward r adds r to alpha and 1 - r to beta. The mean of the posterior is then right, and since a reward in 0..1 with mean r varies at most as much
 * as a coin with that mean, the posterior is never narrower than it should be: the policy explores rather too much than too little.
 *
 * Where the candidates' adjustments differ (a budget, a latency objective, a conversation) the posteriors are compared as normal ones of the same mean and variance.
 */
export const betaThompsonPolicy = (spec: SpecOf<'beta-bernoulli-thompson'>): Policy => {
  const memory = remembering(spec.memory, [everyRequest]);
  const warm = warmStartOf(spec.warmStart);
  // An unchanged state is not integrated again.
  let known: { readonly posteriors: readonly BetaParameters[]; readonly shares: readonly number[] } | null = null;
  const integrated = (posteriors: readonly BetaParameters[]): readonly number[] => {
    if (known === null || !areEqual(known.posteriors, posteriors)) known = { posteriors, shares: Array.from(propensities(posteriors)) };
    return known.shares;
  };
  return {
    weigh: (question, evidence) => {
      const posteriors = question.candidates.map((arm) =>
        betaPosterior(memory.recall(evidence, arm, [everyRequest], question)[0], spec.prior, question.weights, warm(arm)),
      );
      const { adjustments } = question;
      const shares = adjustments.every((adjustment) => adjustment === adjustments[0])
        ? integrated(posteriors)
        : normalPropensities(posteriors.map((posterior, i) => shifted(posterior, adjustments[i] ?? 0)));
      return { posteriors: posteriors.map((beta) => ({ family: 'beta', ...beta })), shares };
    },
  };
};

const areEqual = (some: readonly BetaParameters[], others: readonly BetaParameters[]): boolean =>
  some.length === others.length && some.every(({ alpha, beta }, i) => alpha === others[i]?.alpha && beta === others[i].beta);

const shifted = ({ alpha, beta }: BetaParameters, adjustment: number): { readonly mean: number; readonly sd: number } => ({
  mean: alpha / (alpha + beta) + adjustment,
  sd: Math.sqrt((alpha * beta) / (alpha + beta + 1)) / (alpha + beta),
});

/** Evidence of a whole log never takes a parameter below its prior; this guards against a log whose beginning is gone, with a revision of what stood there. */
const leastParameter = 1e-3;

export const betaPosterior = (
  sums: Sums | null | undefined,
  prior: BetaParameters,
  weights: RewardWeights,
  before: Known = nothingKnown,
): BetaParameters => {
  const trials = sums ? trialsOf(sums) : 0;
  const gained = sums ? rewardSum(sums, weights) : 0;
  return {
    alpha: Math.max(leastParameter, prior.alpha + before.gained + gained),
    beta: Math.max(leastParameter, prior.beta + before.trials - before.gained + trials - gained),
  };
};
