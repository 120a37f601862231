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
/** Requests a second that the made-up clock runs at. */
const requestsPerSecond = 50;

export const decide: Benchmark = {
  summary: 'microseconds of features, decision and update, for three and four arms',
  run: async ({ scale, note, signal }) => {
    const rows: (string | number)[][] = [];
    const marks: Mark[] = [];
    // Compiled for both numbers of arms before either is measured.
    for (const arms of [3, 4]) measure(arms, Math.round(warmUp * Math.max(0.1, scale)), 0);
    for (const arms of [3, 4]) {
      await new Promise(setImmediate);
      signal.throwIfAborted();
      const { decisions, updates } = measure(arms, Math.round(warmUp * Math.max(0.1, scale)), Math.round(measured * Math.max(0.1, scale)));
      const both = decisions.map((us, i) => us + (updates[i] ?? 0));
      rows.push(
        [`${arms} arms: features and decision`, rounded(median(decisions)), rounded(quantile(decisions, 0.99))],
        [`${arms} arms: with the update`, rounded(median(both)), rounded(quantile(both, 0.99))],
      );
      note(`${arms} arms: ${rounded(median(decisions))} us, with the update ${rounded(median(both))} us`);
      marks.push(
        {
          name: `${arms} arms: features and decision, median`,
          value: rounded(median(decisions)),
          comparison: '<=',
          threshold: 22.5,
          unit: ' us',
        },
        {
          name: `${arms} arms: features and decision, p99`,
          value: rounded(quantile(decisions, 0.99)),
          comparison: '<=',
          threshold: 39,
          unit: ' us',
        },
        { name: `${arms} arms: with the update, median`, value: rounded(median(both)), comparison: '<=', threshold: 43, unit: ' us' },
      );
    }
    return {
      settings: { warmUp, measured, requestsPerSecond, policy: spec.kind, seed: 'decide' },
      tables: [{ title: 'Microseconds', columns: ['what', 'median', 'p99'], rows }],
      marks,
      notMeasured: ['the append of the decision to the log, which takes most of the time of a decision in the yard: see overhead'],
    };
  },
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
