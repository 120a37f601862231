import { extractFeatures } from '../src/domain/routing/features/extract.ts';
import { seededRandom } from '../src/domain/random.ts';
import { policySpecSchema } from '../src/events/schemas/policy.ts';
import { tenantSchema } from '../src/events/index.ts';
import { createLearner } from './routing/learner.ts';
import { beginMs } from './routing/play.ts';
import type { Mark } from './marks.ts';
import type { Benchmark } from './report.ts';
import { median, quantile, rounded } from './statistics.ts';

/**
 * What a decision costs on one core, warmed: features of the prompt and the decision itself, and the same with folding the reward. Prompts of 60 to 2,000 characters, made up from a seed; evidence of
 * thousands of requests in all cells; a budget, so that prices and expectations are computed too. ParetoBandit's published figures are without its embedding of 8.8 ms.
 */
const spec = policySpecSchema.parse({ kind: 'contextual-thompson' });
const warmUp = 20_000;
const measured = 20_000;
/** Each figure is the median of those of the rounds: what else runs on the machine disturbs one of them, not all. */
const rounds = 5;
/** Requests a second that the made-up clock runs at. */
const requestsPerSecond = 50;

export const decide: Benchmark = {
  summary: 'microseconds of features, decision and update, for three and four arms',
  run: async ({ scale, note, signal }) => {
    const rows: (string | number)[][] = [];
    const marks: Mark[] = [];
    // Compiled for both numbers of arms before either is measured.
    for (const arms of [3, 4]) measure(arms, scaled(warmUp, scale), 0);
    for (const arms of [3, 4]) {
      await new Promise(setImmediate);
      signal.throwIfAborted();
      const measuredRounds = Array.from({ length: rounds }, () => roundOf(arms, scaled(warmUp, scale), scaled(measured, scale)));
      const of = (figure: (round: Round) => number): number => rounded(median(measuredRounds.map(figure)));
      const [usual, slow, bothUsual, bothSlow] = [of((r) => r.median), of((r) => r.p99), of((r) => r.bothMedian), of((r) => r.bothP99)];
      rows.push([`${arms} arms: features and decision`, usual, slow], [`${arms} arms: with the update`, bothUsual, bothSlow]);
      note(`${arms} arms: ${usual} us, with the update ${bothUsual} us`);
      marks.push(
        {
          name: `${arms} arms: features and decision, median`,
          value: usual,
          comparison: '<=',
          threshold: 22.5,
          unit: ' us',
        },
        {
          name: `${arms} arms: features and decision, p99`,
          value: slow,
          comparison: '<=',
          threshold: 39,
          unit: ' us',
        },
        { name: `${arms} arms: with the update, median`, value: bothUsual, comparison: '<=', threshold: 43, unit: ' us' },
      );
    }
    return {
      settings: { warmUp, measured, rounds, requestsPerSecond, policy: spec.kind, seed: 'decide' },
      tables: [{ title: 'Microseconds', columns: ['what', 'median', 'p99'], rows }],
      marks,
      notMeasured: ['the append of the decision to the log, which takes most of the time of a decision in the yard: see overhead'],
    };
  },
};

const scaled = (count: number, scale: number): number => Math.round(count * Math.max(0.1, scale));

type Round = { readonly median: number; readonly p99: number; readonly bothMedian: number; readonly bothP99: number };

const roundOf = (arms: number, warm: number, count: number): Round => {
  const { decisions, updates } = measure(arms, warm, count);
  const both = decisions.map((us, i) => us + (updates[i] ?? 0));
  return { median: median(decisions), p99: quantile(decisions, 0.99), bothMedian: median(both), bothP99: quantile(both, 0.99) };
};

const tenant = tenantSchema.parse('bench');

const measure = (armCount: number, warm: number, count: number) => {
  const random = seededRandom('decide');
  const arms = Array.from({ length: armCount }, (_, arm) => `arm-${arm}`);
  const learner = createLearner({ spec, arms, budget: { usdPerRequest: 0.001, latencyTargetMs: null } });
  const decisions: number[] = [];
  const updates: number[] = [];
  for (let i = 0; i < warm + count; i++) {
    const messages = [{ role: 'user', content: madeUpPrompt(random) }];
    const atMs = beginMs + Math.floor((i * 1_000) / requestsPerSecond);
    const draw = random();
    const begun = performance.now();
    const features = extractFeatures({ messages, parameters: {}, tenant });
    const choice = learner.decide({ features, atMs, draw });
    const decided = performance.now();
    const arm = arms.indexOf(choice.arm);
    learner.learn(choice, features, {
      atMs,
      success: random() < 0.6 + 0.08 * arm ? 1 : 0.2,
      costUsd: 0.0004 * (arm + 1) * (0.5 + random()),
    });
    const learned = performance.now();
    if (i < warm) continue;
    decisions.push((decided - begun) * 1_000);
    updates.push((learned - decided) * 1_000);
  }
  return { decisions, updates };
};

const openings = [
  'Translate the following text into French:',
  'Write a Python function that',
  'What is the capital of',
  'How many apples does Tom have if',
  'Summarise this article in three sentences:',
  'Which of the following statements is true? (A) one (B) two (C) three',
  'Explain step by step why',
  'Sort these words alphabetically:',
  'Solve for x: 3x + 4 = 19.',
  'Is it true that',
];
const words =
  'the a of red river price letter 17 function answer market because however under light ( ) x = 4 question people table result over'.split(
    ' ',
  );

const madeUpPrompt = (random: () => number): string => {
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
  let text = pick(openings) ?? '';
  // Lengths spread evenly on a logarithmic scale, as prompts are.
  const characters = 60 * (2_000 / 60) ** random();
  while (text.length < characters) text += ` ${pick(words) ?? ''}`;
  return `${text.slice(0, 1_999)}?`;
};
