import type { Phase } from './play.ts';
import type { RecordedPrompt, RecordedSet } from './recorded-prompts.ts';

/** Three stretches of the test prompts, in the second of which the world is another one. */
export type Scenario = { readonly name: string; readonly phases: (set: RecordedSet, test: readonly RecordedPrompt[]) => readonly Phase[] };

/** Index of the arm with the given rank by mean cost on val, the cheapest first. */
const byCost = (set: RecordedSet): readonly number[] =>
  set.arms
    .map((_, arm) => ({ arm, cost: set.val.reduce((sum, prompt) => sum + (prompt.cost[arm] ?? 0), 0) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ arm }) => arm);

const thirds = (test: readonly RecordedPrompt[]): readonly (readonly RecordedPrompt[])[] => {
  const size = Math.floor(test.length / 3);
  return [test.slice(0, size), test.slice(size, 2 * size), test.slice(2 * size, 3 * size)];
};

const threePhases = (
  set: RecordedSet,
  test: readonly RecordedPrompt[],
  second: Partial<Phase>,
  others: Partial<Phase> = {},
): readonly Phase[] => [
  { name: 'learn', prompts: set.val, arms: set.arms, ...others },
  ...thirds(test).map((prompts, i) => ({ name: `phase ${i + 1}`, prompts, arms: set.arms, ...(i === 1 ? second : others) })),
];

const joins = (name: string, rewardFactor: number): Scenario => ({
  name,
  phases: (set, test) => {
    const middle = byCost(set)[1] ?? 0;
    const without = set.arms.filter((_, arm) => arm !== middle);
    const world: NonNullable<Phase['world']> = (arm, result) =>
      arm === middle ? { ...result, reward: result.reward * rewardFactor } : result;
    const [learn, first, second, third] = threePhases(set, test, {});
    return [learn, first, second, third].flatMap((phase, i) =>
      phase === undefined ? [] : [{ ...phase, world, arms: i < 2 ? without : set.arms }],
    );
  },
});

export const scenarios: readonly Scenario[] = [
  {
    name: 'price of the dearest model falls to a hundredth',
    phases: (set, test) => {
      const dearest = byCost(set).at(-1);
      return threePhases(set, test, {
        world: (arm, result) => (arm === dearest ? { ...result, costUsd: result.costUsd / 100 } : result),
      });
    },
  },
  {
    name: 'reward of the middle model falls to .75',
    phases: (set, test) => {
      const middle = byCost(set)[1];
      const mean = set.test.reduce((sum, prompt) => sum + (prompt.reward[middle ?? 0] ?? 0), 0) / set.test.length;
      return threePhases(set, test, {
        world: (arm, result) => (arm === middle ? { ...result, reward: Math.min(1, (result.reward * 0.75) / mean) } : result),
      });
    },
  },
  joins('a good model joins', 1),
  joins('a model of half the reward joins', 0.5),
];
