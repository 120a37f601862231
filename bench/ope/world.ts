import { extractFeatures } from '../../src/domain/routing/features/extract.ts';
import { cellsFor } from '../../src/domain/routing/filing.ts';
import { seededRandom } from '../../src/domain/random.ts';
import { tenantSchema } from '../../src/events/index.ts';
import { readRecordedSet, type RecordedPrompt } from '../routing/recorded-prompts.ts';

/** Full information: what each arm would have earned for each prompt, so that the value of any policy is known. */
export type World = { readonly arms: readonly string[]; readonly prompts: readonly RecordedPrompt[] };

/** A fixed policy: how often it gives this prompt to each arm. */
export type Candidate = { readonly name: string; readonly shares: (prompt: RecordedPrompt) => readonly number[] };

export const worldOf = (data: string | null): World => {
  if (data === null) return madeUp();
  const { arms, test } = readRecordedSet(data);
  return { arms, prompts: test };
};

/** Kinds of prompt that differ in which arm is good for them; outcomes are 0 or 1. */
const madeUp = (): World => {
  const random = seededRandom('made-up world');
  const arms = ['small', 'middle', 'large'];
  const tenant = tenantSchema.parse('bench');
  const prompts = Array.from({ length: 2_000 }, (_, i): RecordedPrompt => {
    const { text, chances } = templates[i % templates.length] ?? { text: '', chances: [] };
    const content = `${text} ${Math.floor(random() * 1_000)}?`;
    return {
      features: extractFeatures({ messages: [{ role: 'user', content }], parameters: {}, tenant }),
      reward: chances.map((chance) => (random() < chance ? 1 : 0)),
      cost: [1e-4, 5e-4, 2e-3],
    };
  });
  return { arms, prompts };
};

const templates = [
  { text: 'What is the capital of country number', chances: [0.9, 0.92, 0.93] },
  { text: 'Write a Python function that sorts', chances: [0.4, 0.75, 0.9] },
  { text: 'Prove by induction that the sum of numbers is', chances: [0.15, 0.5, 0.85] },
  { text: 'Translate into French: the river is', chances: [0.7, 0.9, 0.8] },
] as const;

export const candidatesOf = ({ arms, prompts }: World): readonly Candidate[] => {
  const even = arms.map(() => 1 / arms.length);
  const second = arms.map((_, arm) => (arm === 1 ? 1 : 0));
  return [
    { name: 'all arms alike', shares: () => even },
    { name: `always ${arms[1] ?? ''}`, shares: () => second },
    { name: 'the cheapest good arm of each kind', shares: byKind(arms, prompts) },
  ];
};

/** With .9 the cheapest arm whose mean in the kind lies within .05 of the best one, with .1 any arm. */
const byKind = (arms: readonly string[], prompts: readonly RecordedPrompt[]): Candidate['shares'] => {
  const sums = new Map<string, { count: number; readonly reward: number[]; readonly cost: number[] }>();
  for (const prompt of prompts) {
    const kind = kindOf(prompt);
    const known = sums.get(kind) ?? { count: 0, reward: arms.map(() => 0), cost: arms.map(() => 0) };
    known.count++;
    for (let arm = 0; arm < arms.length; arm++) {
      known.reward[arm] = (known.reward[arm] ?? 0) + (prompt.reward[arm] ?? 0);
      known.cost[arm] = (known.cost[arm] ?? 0) + (prompt.cost[arm] ?? 0);
    }
    sums.set(kind, known);
  }
  const chosen = new Map(
    [...sums].map(([kind, { count, reward, cost }]) => {
      const best = Math.max(...reward);
      const good = arms.map((_, arm) => arm).filter((arm) => (reward[arm] ?? 0) >= best - 0.05 * count);
      return [kind, good.sort((a, b) => (cost[a] ?? 0) - (cost[b] ?? 0))[0]] as const;
    }),
  );
  return (prompt) => arms.map((_, arm) => 0.1 / arms.length + (chosen.get(kindOf(prompt)) === arm ? 0.9 : 0));
};

const kindOf = ({ features }: RecordedPrompt): string => cellsFor(features)[1] ?? '';

/** Mean reward over all prompts. */
export const trueValue = ({ prompts }: World, { shares }: Candidate): number =>
  prompts.reduce((sum, prompt) => sum + shares(prompt).reduce((value, share, arm) => value + share * (prompt.reward[arm] ?? 0), 0), 0) /
  prompts.length;
