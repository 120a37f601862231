import type { ArmKnowledge, Explanation } from '../domain/routing/explain.ts';
import type { DataOf, RecordedFeatures } from '../events/index.ts';
import type { Explained } from './arms-explain.ts';
import { grouped, milliseconds, nanoUsd, percent } from './numbers.ts';
import { writeTable } from './table.ts';
import type { Terminal } from './terminal.ts';

/** An explanation for people; docs/cli.md says how to read it. */
export const showExplanation = async (terminal: Terminal, { request, state, decisions }: Explained): Promise<void> => {
  const { features, tenant, requestedModel, conversation, weights } = request;
  const line = (title: string, text: string) => terminal.line(`${terminal.style('bold', title.padEnd(12))}${text}`);
  await line('request', `${requestedModel} for ${tenant}: ${featuresText(features)}`);
  if (conversation !== null)
    await line(
      'conversation',
      ` ${conversation.previousArm === null ? 'begins here, or is forgotten' : `${conversation.previousArm} answered before`}`,
    );
  await line(
    'weights',
    Object.entries(weights)
      .map(([part, weight]) => `${part} ${weight}`)
      .join(', '),
  );
  await line('state', `sequence ${state.sequence}, ${state.source === 'live' ? 'equal to that of a live router' : 'from the log'}`);
  for (const decision of decisions) {
    await terminal.line();
    await showDecision(terminal, decision, line);
  }
};

type Line = (title: string, text: string) => Promise<void>;

const showDecision = async (terminal: Terminal, explanation: Explanation, line: Line): Promise<void> => {
  const { policy, share, decision, arms } = explanation;
  await line(
    policy.canary ? 'canary' : 'policy',
    `${policy.id} ${policy.version}, ${policy.kind}${share === 1 ? '' : `; decides with probability ${share}`}`,
  );
  if (decision.kind === 'chosen') {
    const { candidates, pacing, floor } = decision.choice;
    await line('prices', pricesText(pacing));
    await line('floor', percent(floor));
    await terminal.line();
    await writeTable(terminal, candidateColumns, candidates.toSorted((a, b) => b.propensity - a.propensity).map(candidateRow));
    if (candidates.map(beliefOf).some(isBeyondRewards))
      await terminal.line('a reward is 0 to 1; a belief is a normal distribution here, whose mean may lie a little beyond');
  } else await terminal.line(terminal.style('red', 'no arm can take this request'));
  if (decision.kind !== 'unknown-model')
    await showExclusions(terminal, decision.kind === 'chosen' ? decision.choice.exclusions : decision.exclusions);
  await terminal.line();
  await writeTable(terminal, knowledgeColumns, knowledgeRows(arms));
  for (const { arm, changedAt } of arms)
    if (changedAt !== null) await terminal.line(`the reward of ${arm} jumped: what is before ${changedAt} does not count`);
};

type Candidate = DataOf<'route.decided'>['candidates'][number];
type Exclusion = DataOf<'route.decided'>['exclusions'][number];

const right = (title: string) => ({ title, align: 'right' as const });
const candidateColumns = [
  { title: 'can be drawn' },
  { title: 'model' },
  ...['reward', 'cost', 'latency', 'adjustment', 'compared', 'floor', 'probability'].map(right),
  { title: '' },
];

const candidateRow = (candidate: Candidate): readonly string[] => {
  const { arm, model, expectedCostNanoUsd, expectedLatencyMs, adjustment, floor, propensity } = candidate;
  const belief = beliefOf(candidate);
  return [
    arm,
    model,
    belief === null ? '-' : `${belief.mean.toFixed(3)} \u00b1${belief.sd.toFixed(3)}`,
    expectedCostNanoUsd === null ? '-' : nanoUsd(expectedCostNanoUsd),
    expectedLatencyMs === null ? '-' : milliseconds(expectedLatencyMs),
    signed(adjustment),
    belief === null ? '-' : (belief.mean + adjustment).toFixed(3),
    percent(floor),
    `${(100 * propensity).toFixed(2)} %`,
    bar(propensity),
  ];
};

/** Mean and standard deviation of what is believed of an arm's reward for this request. */
const beliefOf = ({ posterior }: Candidate): { readonly mean: number; readonly sd: number } | null => {
  if (posterior === null || posterior.family === 'normal') return posterior;
  const { alpha, beta } = posterior;
  const total = alpha + beta;
  return { mean: alpha / total, sd: Math.sqrt((alpha * beta) / (total + 1)) / total };
};

const isBeyondRewards = (belief: { readonly mean: number } | null): boolean => belief !== null && (belief.mean > 1 || belief.mean < 0);

const barWidth = 24;
const bar = (share: number): string => '\u2588'.repeat(Math.round(share * barWidth));

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;

const showExclusions = async (terminal: Terminal, exclusions: readonly Exclusion[]): Promise<void> => {
  if (exclusions.length === 0) return;
  await terminal.line();
  await writeTable(
    terminal,
    [{ title: 'cannot be drawn' }, { title: 'reason' }],
    exclusions.map(({ arm, reason }) => [arm, `${reason}: ${reasons[reason]}`]),
  );
};

const reasons: Readonly<Record<Exclusion['reason'], string>> = {
  disabled: 'switched off in the configuration',
  'not-requested': 'the request names another arm or model',
  'context-length': 'prompt and answer do not fit into what its model takes',
  'missing-capability': 'its model lacks what the request needs',
  'breaker-open': 'more than half of its answers failed in the last two minutes',
  budget: 'one answer would cost many times the budget',
  'on-trial': 'it is new, and as many requests as it is tried with are under way',
  'no-share': 'the fixed shares of the policy give it none; a request may still name it',
};

const knowledgeColumns = [
  { title: 'kind of request' },
  { title: 'arm' },
  ...['trials', 'mean reward', 'remembered', 'mean reward'].map(right),
  { title: 'breaker' },
];

/** Cell by cell, so that arms stand beside each other. */
const knowledgeRows = (arms: readonly ArmKnowledge[]): readonly (readonly string[])[] =>
  (arms[0]?.cells ?? []).flatMap(({ cell }, level) =>
    arms.map(({ arm, cells, breakerOpen }, place) => {
      const known = cells[level];
      return [
        place === 0 ? `${'  '.repeat(level)}${cell}` : '',
        arm,
        grouped(known?.trials ?? 0),
        meanText(known?.reward),
        known?.remembered?.trials.toFixed(1) ?? '-',
        meanText(known?.remembered?.reward),
        level > 0 ? '' : breakerOpen ? 'open' : 'closed',
      ];
    }),
  );

const meanText = (reward: number | null | undefined): string => reward?.toFixed(4) ?? '-';

const pricesText = (pacing: DataOf<'route.decided'>['pacing']): string => {
  if (pacing === null) return 'none: the tenant has neither a budget nor a latency objective';
  const { usdPerRequest, latencyTargetMs, rewardPerUsd, rewardPerSecond, step } = pacing;
  return [
    ...(usdPerRequest === null
      ? []
      : [`a dollar must bring ${threeDigits(rewardPerUsd)} of reward (budget ${nanoUsd(usdPerRequest * 1e9)} a request)`]),
    ...(latencyTargetMs === null ? [] : [`a second ${threeDigits(rewardPerSecond)} (objective ${milliseconds(latencyTargetMs)})`]),
    `step ${step}`,
  ].join(', ');
};

const threeDigits = (value: number): string => Number(value.toPrecision(3)).toString();

const featuresText = (features: RecordedFeatures): string => {
  if (features.version === 1) return `${grouped(features.promptCharacters)} characters`;
  const { kind, language, complexity, promptTokensEstimate, hasCode, hasMathematics, isQuestion, opening, ending } = features;
  return [
    `kind ${kind}`,
    `language ${language}`,
    `complexity ${complexity}`,
    `about ${grouped(promptTokensEstimate)} tokens`,
    ...(hasCode ? ['code'] : []),
    ...(hasMathematics ? ['mathematics'] : []),
    ...(isQuestion ? ['a question'] : []),
    `opening ${opening}`,
    `ending ${ending}`,
  ].join(', ');
};
