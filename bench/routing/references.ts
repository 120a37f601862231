import type { RecordedPrompt, RecordedSet } from './recorded-prompts.ts';

/** What can be reached on recorded prompts, computed from all results: for comparison only, no policy sees them. */
export type Reached = { readonly reward: number; readonly costUsd: number };

export const alwaysTheSame = ({ arms, test }: RecordedSet): readonly Reached[] =>
  arms.map((_, arm) => ({
    reward: mean(test, (prompt) => prompt.reward[arm] ?? 0),
    costUsd: mean(test, (prompt) => prompt.cost[arm] ?? 0),
  }));

/** The best mix of arms, drawn without looking at the prompt, whose mean cost is the budget. */
export const bestMix = (set: RecordedSet, budget: number): number => {
  const arms = alwaysTheSame(set);
  let best = 0;
  for (const a of arms) {
    if (a.costUsd <= budget) best = Math.max(best, a.reward);
    for (const b of arms)
      if (a.costUsd <= budget && b.costUsd > budget)
        best = Math.max(best, a.reward + ((budget - a.costUsd) / (b.costUsd - a.costUsd)) * (b.reward - a.reward));
  }
  return best;
};

/** The best choice for each prompt by one who knows all results, within the budget on the mean: the linear programme's bound. */
export const bestPerPrompt = (set: RecordedSet, budget: number): number => {
  const at = (price: number): Reached => {
    let reward = 0;
    let cost = 0;
    for (const prompt of set.test) {
      const best = bestArm(prompt, price);
      reward += prompt.reward[best] ?? 0;
      cost += prompt.cost[best] ?? 0;
    }
    return { reward: reward / set.test.length, costUsd: cost / set.test.length };
  };
  if (at(0).costUsd <= budget) return at(0).reward;
  let [low, high] = [0, 1];
  while (at(high).costUsd > budget && high < 1e12) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (at(middle).costUsd > budget) low = middle;
    else high = middle;
  }
  const [dear, cheap] = [at(low), at(high)];
  const share = dear.costUsd > cheap.costUsd ? Math.min(1, Math.max(0, (budget - cheap.costUsd) / (dear.costUsd - cheap.costUsd))) : 0;
  return cheap.reward + share * (dear.reward - cheap.reward);
};

const bestArm = ({ reward, cost }: RecordedPrompt, price: number): number => {
  let best = 0;
  const worth = (arm: number) => (reward[arm] ?? 0) - price * (cost[arm] ?? 0);
  for (let arm = 1; arm < reward.length; arm++)
    if (worth(arm) > worth(best) || (worth(arm) === worth(best) && (cost[arm] ?? 0) < (cost[best] ?? 0))) best = arm;
  return best;
};

export const meanCosts = (prompts: readonly RecordedPrompt[], arms: number): readonly number[] =>
  Array.from({ length: arms }, (_, arm) => mean(prompts, (prompt) => prompt.cost[arm] ?? 0));

const mean = (prompts: readonly RecordedPrompt[], of: (prompt: RecordedPrompt) => number): number =>
  prompts.reduce((sum, prompt) => sum + of(prompt), 0) / prompts.length;
