import { rewardSum, rewardVariance, trialsOf } from '../reading.ts';
import { everyRequest, type Evidence } from '../evidence.ts';
import { normalPropensities, type NormalParameters } from '../normal-propensities.ts';
import type { RewardWeights } from '../../reward/reward.ts';
import { remembering, type Remembering } from './remembering.ts';
import type { Policy, PolicyQuestion, SpecOf } from './policy.ts';
import { nothingKnown, warmStartOf, type Known, type WarmStart } from './warm-start.ts';

/**
 * Thompson sampling over a hierarchical normal model. A request belongs to a chain of cells, from all requests to a narrow kind. Going down the chain, an arm's mean reward in a cell is
 * expected at its mean in the cell before, plus what this cell is easier or harder for all arms, give or take `cellDeviation`. Each cell's posterior is the prior of the next (the
 * normal-normal model with known variance; Gelman et al., "Bayesian Data Analysis", chapter 5, taken level by level):
 *
 *   ease of cell l:   e = sum over arms of n (y - m) / (sum of n + s^2 / cellDeviation^2),  y the arm's mean reward there, m its mean in the cell before
 *   prior of the arm: N(m + e, v),  v = its posterior variance before + cellDeviation^2 N / (N + 40),  N = sum of n
 *   posterior:        precision 1/v + n/s^2,  mean weighted by precision
 *
 * n and y are those of the cell's remembered evidence, s^2 the variance of one reward of this arm. A cell without evidence adds nothing. So a kind of request that was never seen is
 * judged by all others, one that was given to a single arm tells what to expect of the others there, and a template seen a hundred times is judged by itself.
 */
export const contextualThompsonPolicy = (spec: SpecOf<'contextual-thompson'>): Policy => {
  const memory = remembering(spec.memory, 'kinds');
  const warm = warmStartOf(spec.warmStart);
  return {
    weigh: (question, evidence) => {
      const beliefs = believe(spec, memory, warm, evidence, question);
      const shifted = beliefs.map(({ mean, sd }, i) => ({ mean: mean + (question.adjustments[i] ?? 0), sd }));
      return { posteriors: beliefs.map((belief) => ({ family: 'normal', ...belief })), shares: Array.from(normalPropensities(shifted)) };
    },
  };
};

const believe = (
  spec: SpecOf<'contextual-thompson'>,
  memory: Remembering,
  warm: WarmStart,
  evidence: Evidence,
  question: PolicyQuestion,
): readonly NormalParameters[] => {
  const { candidates, cells } = question;
  const between = spec.cellDeviation ** 2;
  const { alpha, beta } = spec.prior;
  const prior = { mean: alpha / (alpha + beta), variance: (alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1)) };
  const noises = noisesOf(memory, evidence, question);
  let beliefs = candidates.map(() => prior);
  cells.forEach((cell, level) => {
    const known = candidates.map((arm) => knownOf(memory, warm, evidence, arm, cell, question));
    const seen = known.reduce((sum, { trials }) => sum + trials, 0);
    const ease = level === 0 ? 0 : easeOf(known, beliefs, noises, between);
    const worth = level === 0 ? 0 : (between * seen) / (seen + recurring);
    beliefs = beliefs.map(({ mean, variance }, arm) => {
      const expected = mean + ease;
      const spread = variance + worth;
      const { trials, gained } = known[arm] ?? nothingKnown;
      const noise = noises[arm] ?? coin;
      if (trials <= 0) return { mean: expected, variance: spread };
      const priorTrials = noise / spread;
      return { mean: (gained + priorTrials * expected) / (trials + priorTrials), variance: noise / (trials + priorTrials) };
    });
  });
  return beliefs.map(({ mean, variance }) => ({ mean, sd: Math.sqrt(variance) }));
};

/** Requests in a cell after which its difference from the cell before is explored half as much as it may be: what hardly ever comes again is not worth trying arms for. */
const recurring = 40;
/** Variance of a reward of which nothing is known, at most. */
const coin = 0.25;
/** The variance of an arm's rewards leans on that of all arms with the weight of so many trials. */
const pooledTrials = 8;

const noisesOf = (memory: Remembering, evidence: Evidence, question: PolicyQuestion): readonly number[] => {
  const own = question.candidates.map((arm) => {
    const sums = memory.read(evidence, arm, everyRequest, question);
    return sums === null ? { trials: 0, variance: coin } : { trials: trialsOf(sums), variance: rewardVariance(sums, question.weights) };
  });
  const trials = own.reduce((sum, arm) => sum + arm.trials, 0);
  const pooled = (own.reduce((sum, arm) => sum + arm.trials * arm.variance, 0) + coin) / (trials + 1);
  return own.map((arm) => (arm.trials * arm.variance + pooledTrials * pooled) / (arm.trials + pooledTrials));
};

const easeOf = (
  known: readonly Known[],
  beliefs: readonly { readonly mean: number }[],
  noises: readonly number[],
  between: number,
): number => {
  let excess = 0;
  let trials = 0;
  let noise = 0;
  known.forEach((arm, i) => {
    excess += arm.gained - arm.trials * (beliefs[i]?.mean ?? 0);
    trials += arm.trials;
    noise += arm.trials * (noises[i] ?? coin);
  });
  return trials <= 0 ? 0 : excess / (trials + noise / trials / between);
};

/** Remembered here, and known before. */
const knownOf = (
  memory: Remembering,
  warm: WarmStart,
  evidence: Evidence,
  arm: string,
  cell: string,
  question: { readonly nowTick: number; readonly weights: RewardWeights },
): Known => {
  const before = warm(arm, cell);
  const sums = memory.read(evidence, arm, cell, question);
  return sums === null ? before : { trials: trialsOf(sums) + before.trials, gained: rewardSum(sums, question.weights) + before.gained };
};
