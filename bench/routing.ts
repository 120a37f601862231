import { seededRandom } from '../src/domain/random.ts';
import { policySpecSchema } from '../src/events/schemas/policy.ts';
import { scenarios } from './routing/drift.ts';
import { play, shuffled, type Played } from './routing/play.ts';
import { budgetsFor, driftBudgetFor, isPublishedSet, publishedDrift } from './routing/published.ts';
import { readRecordedSet, type RecordedSet } from './routing/recorded-prompts.ts';
import { alwaysTheSame, bestMix, bestPerPrompt } from './routing/references.ts';
import type { Mark } from './marks.ts';
import type { BenchContext, Benchmark, FigureTable } from './report.ts';
import { rounded } from './statistics.ts';

/**
 * The router under a budget, on recorded answers of real models: learns over the val prompts and goes on learning over the test prompts, from the text of the prompt and the reward and cost of
 * its own choices alone. One configuration for all budgets and all scenarios, chosen on val.
 */
const halfLifeSeconds = 4_000;
const spec = policySpecSchema.parse({ kind: 'contextual-thompson', floor: 0, memory: { halfLifeSeconds } });
/** How many were compared on halves of val before this one was taken, and what they differed in. */
const configurationsTried = 56;
const seedCount = 20;

export const routing: Benchmark = {
  summary: 'reward under a budget on recorded prompts, steady and drifting (--data <folder> with val and test)',
  run: async (context) => {
    if (context.data === null) throw new Error('expected --data <folder> with val.jsonl.gz and test.jsonl.gz, got none');
    const set = readRecordedSet(context.data);
    const seeds = Math.max(1, Math.round(seedCount * context.scale));
    const table = await budgetTable(set, seeds, context);
    const drift = await driftTable(set, seeds, context);
    return {
      settings: {
        val: set.val.length,
        test: set.test.length,
        arms: set.arms.join(' '),
        seeds,
        policy: spec.kind,
        floor: spec.floor,
        halfLifeSeconds,
        configurationsTried,
      },
      tables: [singles(set), table.figures, drift.figures],
      marks: [...table.marks, ...drift.marks],
      notMeasured: isPublishedSet(set) ? [] : ['the published rows: they are of other data'],
    };
  },
};

const singles = (set: RecordedSet): FigureTable => ({
  title: 'Always the same model',
  columns: ['model', 'reward', '$ per request'],
  rows: alwaysTheSame(set).map(({ reward, costUsd }, arm) => [set.arms[arm] ?? '', rounded(reward), rounded(costUsd)]),
});

const budgetTable = async (set: RecordedSet, seeds: number, { note, signal }: BenchContext) => {
  const rows: (string | number | null)[][] = [];
  const marks: Mark[] = [];
  let largest = 0;
  for (const { usdPerRequest, reward: publishedReward } of budgetsFor(set)) {
    const played: Played[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      await turn(signal);
      const [, test] = play({
        spec,
        arms: set.arms,
        usdPerRequest,
        seed: `table ${seed}`,
        phases: [
          { name: 'val', prompts: set.val, arms: set.arms },
          { name: 'test', prompts: set.test, arms: set.arms },
        ],
      });
      if (test !== undefined) played.push(test);
    }
    const reward = mean(played.map((run) => run.reward));
    const utilisation = mean(played.map((run) => run.costUsd)) / usdPerRequest;
    largest = Math.max(largest, utilisation);
    rows.push([
      rounded(usdPerRequest),
      reward.toFixed(4),
      standardError(played.map((run) => run.reward)).toFixed(4),
      utilisation.toFixed(3),
      publishedReward,
      bestMix(set, usdPerRequest).toFixed(4),
      bestPerPrompt(set, usdPerRequest).toFixed(4),
      shares(played),
    ]);
    note(`budget ${rounded(usdPerRequest)}: reward ${reward.toFixed(4)}, utilisation ${utilisation.toFixed(3)}`);
    if (publishedReward !== null)
      marks.push({
        name: `reward at $${rounded(usdPerRequest)} per request, above the published`,
        value: Number(reward.toFixed(5)),
        comparison: '>',
        threshold: publishedReward,
        unit: '',
      });
  }
  marks.push({ name: 'largest utilisation of a budget', value: Number(largest.toFixed(4)), comparison: '<=', threshold: 1.004, unit: '' });
  const figures: FigureTable = {
    title: 'Reward on test by budget',
    columns: ['$ per request', 'reward', 'standard error', 'utilisation', 'published', 'best mix', 'limit', 'shares, %'],
    rows,
  };
  return { figures, marks };
};

const driftTable = async (set: RecordedSet, seeds: number, { note, signal }: BenchContext) => {
  const usdPerRequest = driftBudgetFor(set);
  const rows: (string | number | null)[][] = [];
  const marks: Mark[] = [];
  for (const [index, scenario] of scenarios.entries()) {
    const runs: (readonly Played[])[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      await turn(signal);
      const test = shuffled(set.test, seededRandom(`drift ${seed}`));
      runs.push(play({ spec, arms: set.arms, usdPerRequest, seed: `drift ${seed}`, phases: scenario.phases(set, test) }));
    }
    const isPublished = index === 1 && isPublishedSet(set);
    for (let phase = 1; phase <= 3; phase++) {
      const played = runs.flatMap((run) => run[phase] ?? []);
      const reward = mean(played.map((run) => run.reward));
      const utilisation = mean(played.map((run) => run.costUsd)) / usdPerRequest;
      const published = isPublished ? (publishedDrift.rewards[phase - 1] ?? null) : null;
      rows.push([scenario.name, phase, reward.toFixed(4), utilisation.toFixed(3), published, shares(played)]);
      if (published !== null && phase > 1)
        marks.push({
          name: `${scenario.name}: reward in phase ${phase}`,
          value: Number(reward.toFixed(5)),
          comparison: '>',
          threshold: published,
          unit: '',
        });
    }
    const all = runs.flatMap((run) => run.slice(1));
    const utilisation = mean(all.map((run) => run.costUsd)) / usdPerRequest;
    if (index === 1)
      marks.push({
        name: `${scenario.name}: utilisation of the three phases`,
        value: Number(utilisation.toFixed(4)),
        comparison: '<=',
        threshold: 1.004,
        unit: '',
      });
    note(`${scenario.name}: utilisation ${utilisation.toFixed(3)}`);
  }
  const figures: FigureTable = {
    title: `Drift, three phases of the test prompts at $${rounded(usdPerRequest)} per request`,
    columns: ['scenario', 'phase', 'reward', 'utilisation', 'published', 'shares, %'],
    rows,
  };
  return { figures, marks };
};

/** Lets an interrupt through between two runs. */
const turn = async (signal: AbortSignal): Promise<void> => {
  await new Promise(setImmediate);
  signal.throwIfAborted();
};

const shares = (played: readonly Played[]): string =>
  (played[0]?.shares ?? []).map((_, arm) => (100 * mean(played.map((run) => run.shares[arm] ?? 0))).toFixed(1)).join(' / ');

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const standardError = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, values.length - 1) / values.length);
};
