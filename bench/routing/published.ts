import type { RecordedSet } from './recorded-prompts.ts';
import { meanCosts } from './references.ts';

/** ParetoBandit, arXiv 2604.00136, seven budgets in dollars per request on its own data: mean test reward and utilisation. */
const published = [
  { usdPerRequest: 2.929143e-5, reward: 0.7932, utilisation: 0.982 },
  { usdPerRequest: 8.288493e-5, reward: 0.8128, utilisation: 1.004 },
  { usdPerRequest: 2.345366e-4, reward: 0.8588, utilisation: 1.001 },
  { usdPerRequest: 6.636599e-4, reward: 0.8978, utilisation: 0.979 },
  { usdPerRequest: 1.877935e-3, reward: 0.9172, utilisation: 0.91 },
  { usdPerRequest: 5.313927e-3, reward: 0.9244, utilisation: 0.885 },
  { usdPerRequest: 1.5036632e-2, reward: 0.929, utilisation: 0.738 },
] as const;

/** The published drift experiment: reward of the middle model at .75 in the second of three phases. */
export const publishedDrift = { usdPerRequest: 6.6e-4, rewards: [0.885, 0.7947, 0.863] } as const;

const publishedArms = ['meta-llama/llama-3.1-8b-instruct', 'mistralai/mistral-large-2512', 'google/gemini-2.5-pro'];
const publishedTest = 1_824;

export type BudgetRow = { readonly usdPerRequest: number; readonly reward: number | null };

export const isPublishedSet = ({ arms, test }: RecordedSet): boolean =>
  test.length === publishedTest && publishedArms.length === arms.length && publishedArms.every((arm) => arms.includes(arm));

/** The published budgets for the published data; for other data seven in a geometric row from just above the cheapest model's mean cost to just below the dearest's. */
export const budgetsFor = (set: RecordedSet): readonly BudgetRow[] => {
  if (isPublishedSet(set)) return published;
  const costs = meanCosts(set.val, set.arms.length);
  const [low, high] = [1.025 * Math.min(...costs), 0.992 * Math.max(...costs)];
  return published.map((_, i) => ({ usdPerRequest: low * (high / low) ** (i / (published.length - 1)), reward: null }));
};

/** A budget in the middle of what the models cost, for the drift of other data. */
export const driftBudgetFor = (set: RecordedSet): number => {
  if (isPublishedSet(set)) return publishedDrift.usdPerRequest;
  const costs = [...meanCosts(set.val, set.arms.length)].sort((a, b) => a - b);
  return 1.25 * (costs[Math.floor(costs.length / 2)] ?? 0);
};
