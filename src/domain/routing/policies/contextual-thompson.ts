import { rewardSum, rewardVariance, trialsOf } from '../reading.ts';
import type { Evidence } from '../evidence.ts';
import { normalPropensities } from '../normal-propensities.ts';
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
  const { alpha, beta } = spec.prior;
  const prior = { mean: alpha / (alpha + beta), variance: (alpha * beta) / ((alpha + beta) ** 2 * (alpha + beta + 1)) };
  const between = spec.cellDeviation ** 2;
  return {
    weigh: (question, evidence) => {
      const known = question.candidates.map((arm) => knownOf(memory, warm, evidence, arm, question));
      const noises = noisesOf(known);
      const beliefs: Belief[] = known.map(() => ({ ...prior }));
      for (let level = 0; level < question.cells.length; level++) narrow(beliefs, level, known, noises, between);
      const posteriors = beliefs.map(({ mean, variance }) => ({ family: 'normal' as const, mean, sd: Math.sqrt(variance) }));
      const shifted = posteriors.map(({ mean, sd }, i) => ({ mean: mean + (question.adjustments[i] ?? 0), sd }));
      return { posteriors, shares: normalPropensities(shifted) };
    },
  };
};

type Belief = { mean: number; variance: number };

/** What is known of an arm: by cell of the chain, and the variance of one of its rewards with the number of rewards that tell it. */
type ArmKnowledge = { readonly cells: readonly Known[]; readonly variance: number; readonly trials: number };

/** Takes the beliefs one cell down the chain. */
const narrow = (
  beliefs: readonly Belief[],
  level: number,
  arms: readonly ArmKnowledge[],
  noises: readonly number[],
  between: number,
): void => {
  let seen = 0;
  for (const { cells } of arms) seen += cells[level]?.trials ?? 0;
  const ease = level === 0 ? 0 : easeOf(level, arms, beliefs, noises, between);
  const worth = level === 0 ? 0 : (between * seen) / (seen + recurring);
  for (let i = 0; i < beliefs.length; i++) {
    const belief = beliefs[i] ?? { mean: 0, variance: 0 };
    const { trials, gained } = arms[i]?.cells[level] ?? nothingKnown;
    const expected = belief.mean + ease;
    const spread = belief.variance + worth;
    const noise = noises[i] ?? coin;
    const priorTrials = noise / spread;
    belief.mean = trials <= 0 ? expected : (gained + priorTrials * expected) / (trials + priorTrials);
    belief.variance = trials <= 0 ? spread : noise / (trials + priorTrials);
  }
};

/** Requests in a cell after which its difference from the cell before is explored half as much as it may be: what hardly ever comes again is not worth trying arms for. */
const recurring = 40;
/** Variance of a reward of which nothing is known, at most. */
const coin = 0.25;
/** The variance of an arm's rewards leans on that of all arms with the weight of so many trials. */
const pooledTrials = 8;

const noisesOf = (arms: readonly ArmKnowledge[]): readonly number[] => {
  let trials = 0;
  let squares = coin;
  for (const arm of arms) {
    trials += arm.trials;
    squares += arm.trials * arm.variance;
  }
  const pooled = squares / (trials + 1);
  return arms.map((arm) => (arm.trials * arm.variance + pooledTrials * pooled) / (arm.trials + pooledTrials));
};

const easeOf = (
  level: number,
  arms: readonly ArmKnowledge[],
  beliefs: readonly Belief[],
  noises: readonly number[],
  between: number,
): number => {
  let excess = 0;
  let trials = 0;
  let noise = 0;
  for (let i = 0; i < arms.length; i++) {
    const known = arms[i]?.cells[level] ?? nothingKnown;
    excess += known.gained - known.trials * (beliefs[i]?.mean ?? 0);
    trials += known.trials;
    noise += known.trials * (noises[i] ?? coin);
  }
  return trials <= 0 ? 0 : excess / (trials + noise / trials / between);
};

/** Remembered here, and known before. The first cell is that of all requests: its rewards tell the variance. */
const knownOf = (memory: Remembering, warm: WarmStart, evidence: Evidence, arm: string, question: PolicyQuestion): ArmKnowledge => {
  const { cells, weights } = question;
  const recalled = memory.recall(evidence, arm, cells, question);
  const all = recalled[0];
  return {
    cells: recalled.map((sums, level) => {
      const before = warm(arm, cells[level]);
      return sums === null ? before : { trials: trialsOf(sums) + before.trials, gained: rewardSum(sums, weights) + before.gained };
    }),
    trials: all ? trialsOf(all) : 0,
    variance: all ? rewardVariance(all, weights) : coin,
  };
};
