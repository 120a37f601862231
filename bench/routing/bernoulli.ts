import { seededRandom } from '../../src/domain/random.ts';
import type { PolicySpec } from '../../src/events/index.ts';
import { createLearner, noFeatures } from './learner.ts';
import { beginMs, stepMs } from './play.ts';

/** Arms that pay 1 with a probability of their own, 0 otherwise. */
export type Bandit = {
  readonly name: string;
  readonly steps: number;
  /** The arms of one run, by a random stream of its own. */
  readonly begin: (random: () => number) => World;
  /** Results reach the learner after every so many steps, all together. */
  readonly batch: number;
};

type Arm = { readonly name: string; readonly mean: number };
/** The arms at a step; the same object as long as they are the same. */
type World = (step: number) => readonly Arm[];

/** Expected regret: the sum over all steps of the best mean less the mean of the arm that was drawn. */
export const regretOf = (bandit: Bandit, spec: PolicySpec, seed: string): number => {
  const random = seededRandom(`${bandit.name} ${seed}`);
  const world = bandit.begin(random);
  let arms = world(0);
  const learner = createLearner({ spec, arms: arms.map(({ name }) => name) });
  const waiting: (() => void)[] = [];
  let regret = 0;
  for (let step = 0; step < bandit.steps; step++) {
    const now = world(step);
    if (now !== arms) learner.setArms(now.map(({ name }) => name));
    arms = now;
    const atMs = beginMs + step * stepMs;
    const choice = learner.decide({ features: noFeatures, atMs, draw: random() });
    const mean = arms.find(({ name }) => name === choice.arm)?.mean ?? NaN;
    const success = random() < mean ? 1 : 0;
    regret += arms.reduce((best, arm) => Math.max(best, arm.mean), 0) - mean;
    waiting.push(() => {
      learner.learn(choice, noFeatures, { atMs, success });
    });
    if ((step + 1) % bandit.batch === 0) for (const learn of waiting.splice(0)) learn();
  }
  return regret;
};

const named = (means: readonly number[]): readonly Arm[] => means.map((mean, arm) => ({ name: `arm-${arm}`, mean }));

const episodes = (name: string, steps: number, means: readonly (readonly number[])[], batch = 1): Bandit => {
  const arms = means.map(named);
  return { name, steps, batch, begin: () => (step) => arms[Math.min(arms.length - 1, Math.floor((step * arms.length) / steps))] ?? [] };
};

const repeated = (times: number, means: readonly number[]): readonly (readonly number[])[] => Array.from({ length: times }, () => means);

const tenArms = (others: number): readonly number[] => [0.5, ...Array.from({ length: 9 }, () => others)];

/** Chapelle and Li, "An empirical evaluation of Thompson sampling" (2011), with results in batches of 100. */
export const stationary = [
  { bandit: episodes('K 10, best .5, others .40', 100_000, [tenArms(0.4)], 100), published: 257.9, publishedError: 5.9 },
  { bandit: episodes('K 10, best .5, others .48', 100_000, [tenArms(0.48)], 100), published: 638.8, publishedError: 21.9 },
] as const;

/** Piecewise stationary environments of the literature on discounted bandits. */
export const switching = [
  {
    bandit: episodes('PB1', 20_000, [
      [0.9, 0.5, 0.3],
      [0.9, 0.2, 0.3],
      [0.1, 0.2, 0.3],
      [0.1, 0.7, 0.3],
      [0.1, 0.7, 0.5],
    ]),
    tunedDiscounted: 381,
    plain: 1_640,
    oracleRestart: 63,
  },
  {
    bandit: episodes('PB2', 20_000, [
      [0.9, 0.5, 0.4],
      [0.7, 0.4, 0.5],
      [0.5, 0.3, 0.6],
      [0.3, 0.2, 0.7],
      [0.1, 0.1, 0.8],
    ]),
    tunedDiscounted: 246,
    plain: 1_193,
    oracleRestart: 72,
  },
  {
    bandit: episodes('third arm .9 for 2,000 of 10,000', 10_000, [
      ...repeated(3, [0.5, 0.3, 0.4]),
      ...repeated(2, [0.5, 0.3, 0.9]),
      ...repeated(5, [0.5, 0.3, 0.4]),
    ]),
    tunedDiscounted: 272,
    plain: 774,
    oracleRestart: 62,
  },
] as const;

const itemCount = 10;
const replaced = 1e-3;

/**
 * Items come and go: at each step, with probability 1e-3, one of them is replaced by a new one; means are drawn from Beta(4, 4). Results arrive every `delay` steps (Chapelle and Li 2011, section on
 * delay). Were each item replaced with that probability at each step, ten times as many would pass, and the regret of any learner be more than twice the published one.
 */
const passingItems = (delay: number): Bandit => ({
  name: `10 passing items, results every ${delay}`,
  steps: 1_000_000,
  batch: delay,
  begin: (random) => {
    let made = 0;
    const fresh = (): Arm => ({ name: `item-${made++}`, mean: betaFourFour(random) });
    let items: readonly Arm[] = Array.from({ length: itemCount }, fresh);
    return () => {
      if (random() < replaced) items = items.with(Math.floor(random() * itemCount), fresh());
      return items;
    };
  },
});

/** The fourth smallest of seven uniform numbers. */
const betaFourFour = (random: () => number): number => Array.from({ length: 7 }, random).sort((a, b) => a - b)[3] ?? NaN;

export const delayed = [
  { bandit: passingItems(1), published: 9_105 },
  { bandit: passingItems(10), published: 9_049 },
  { bandit: passingItems(100), published: 11_550 },
] as const;
