import { seededRandom } from '../../src/domain/random.ts';
import type { PolicySpec } from '../../src/events/index.ts';
import { createLearner, type Learner } from './learner.ts';
import type { RecordedPrompt } from './recorded-prompts.ts';

/** Requests come one a second, from a fixed moment on. */
export const beginMs = Date.UTC(2026, 0, 1);
export const stepMs = 1_000;

export const shuffled = <Item>(items: readonly Item[], random: () => number): readonly Item[] => {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [copy[i], copy[j]];
    if (a !== undefined && b !== undefined) [copy[i], copy[j]] = [b, a];
  }
  return copy;
};

/** A stretch of prompts under one condition. */
export type Phase = {
  readonly name: string;
  readonly prompts: readonly RecordedPrompt[];
  readonly arms: readonly string[];
  /** What the world makes of the recorded result of an arm in this phase. */
  readonly world?: (
    arm: number,
    result: { readonly reward: number; readonly costUsd: number },
  ) => { readonly reward: number; readonly costUsd: number };
};

export type Played = { readonly name: string; readonly reward: number; readonly costUsd: number; readonly shares: readonly number[] };

/** Plays phases one after the other with one learner: for each prompt it sees the text, chooses, and is told the reward and cost of its choice alone. */
export const play = (options: {
  readonly spec: PolicySpec;
  readonly arms: readonly string[];
  readonly usdPerRequest: number | null;
  readonly phases: readonly Phase[];
  readonly seed: string;
}): readonly Played[] => {
  const random = seededRandom(options.seed);
  const learner: Learner = createLearner({
    spec: options.spec,
    arms: options.arms,
    budget: { usdPerRequest: options.usdPerRequest, latencyTargetMs: null },
  });
  let step = 0;
  return options.phases.map(({ name, prompts, arms, world }) => {
    learner.setArms(arms);
    let reward = 0;
    let cost = 0;
    const counts = options.arms.map(() => 0);
    for (const prompt of shuffled(prompts, random)) {
      const atMs = beginMs + step++ * stepMs;
      const choice = learner.decide({ features: prompt.features, atMs, draw: random() });
      const arm = options.arms.indexOf(choice.arm);
      const recorded = { reward: prompt.reward[arm] ?? 0, costUsd: prompt.cost[arm] ?? 0 };
      const result = world?.(arm, recorded) ?? recorded;
      learner.learn(choice, prompt.features, { atMs, success: result.reward, costUsd: result.costUsd });
      reward += result.reward;
      cost += result.costUsd;
      counts[arm] = (counts[arm] ?? 0) + 1;
    }
    return { name, reward: reward / prompts.length, costUsd: cost / prompts.length, shares: counts.map((count) => count / prompts.length) };
  });
};
