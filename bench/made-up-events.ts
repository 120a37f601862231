import {
  cacheStored,
  makeEvent,
  responseCompleted,
  rewardRecorded,
  routeDecided,
  sequence,
  tenantSchema,
  type EventContext,
  type NonEmpty,
  type SwitchyardEvent,
} from '../src/events/index.ts';
import { requestKinds } from '../src/events/schemas/features.ts';

/** Events as requests leave them, made without a request: what they say follows from their number alone. */
const tenant = tenantSchema.parse('default');
const arms = ['small', 'medium', 'large'] as const;
const beganMs = Date.UTC(2026, 0, 1);

const policy = { id: 'thompson', version: 'f00d', canary: false, trial: null };
const timeOf = (index: number) => new Date(beganMs + index).toISOString();
const square = (part: number) => Math.round((part * part) / 1_000_000);

/** As many kinds of request and openings as a yard meets: three cells each, of about a hundred. */
const openingOf = (index: number) => index % 80;
const kindOf = (index: number) => requestKinds[openingOf(index) % requestKinds.length] ?? 'other';
const cellsOf = (index: number) => ['all', `kind:${kindOf(index)}`, `opening:${openingOf(index)}`];

const armOf = (index: number) => arms[index % arms.length] ?? 'small';

const contextOf = (index: number, kind: string): EventContext => ({
  tenant,
  requestId: `bench-${index}`,
  source: 'switchyard/bench',
  timeMs: beganMs + index,
  causationId: `cause-${index}`,
  id: `bench-${kind}-${index}`,
});

/** The two messages of a request that a provider answered: the decision, and what came of it. */
export const requestMessages = (index: number): readonly [decision: NonEmpty<SwitchyardEvent>, outcome: NonEmpty<SwitchyardEvent>] => {
  const arm = armOf(index);
  const hash = index.toString(16).padStart(32, '0');
  return [
    [
      makeEvent(routeDecided, contextOf(index, 'decided'), {
        question: hash,
        requestedModel: 'auto',
        arm,
        model: arm,
        propensity: 0.25 + (index % 50) / 100,
        policy,
        stateSequence: sequence(2 * index),
        draw: (index % 1_000) / 1_000,
        floor: 0.01,
        weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
        maxOutputTokens: 0,
        decidedAt: timeOf(index),
        pacing: null,
        conversation: null,
        needs: [],
        candidates: arms.map((id, i) => ({
          arm: id,
          model: id,
          posterior: { family: 'normal', mean: 0.5 + i / 10, sd: 0.02 } as const,
          expectedCostNanoUsd: 12_000.5 + i,
          expectedLatencyMs: 640.25 + i,
          adjustment: -0.001 * i,
          floor: 0.01,
          propensity: [0.25, 0.35, 0.4][i] ?? 0,
        })),
        exclusions: [],
        features: {
          version: 2,
          tenant,
          promptCharacters: 200 + (index % 3_000),
          promptTokensEstimate: 50 + (index % 750),
          messageCount: 1,
          conversationDepth: 1,
          hasSystemPrompt: false,
          lastMessageCharacters: 200,
          hasCode: index % 7 === 0,
          hasMathematics: index % 11 === 0,
          isQuestion: true,
          language: 'en',
          kind: kindOf(index),
          complexity: (index % 1_000) / 1_000,
          requestedTokens: 0,
          requestedFormat: 'text',
          opening: openingOf(index),
          ending: (index >> 8) % 256,
          system: null,
        },
        cache: 'miss',
        streamed: false,
        host: 'bench-host',
        retryable: false,
        deadline: new Date(beganMs + index + 120_000).toISOString(),
      }),
    ],
    [
      makeEvent(responseCompleted, contextOf(index, 'completed'), {
        origin: 'provider',
        arm,
        model: arm,
        finishReason: 'stop',
        promptTokens: 50 + (index % 750),
        completionTokens: 20 + (index % 500),
        usageSource: 'provider',
        costNanoUsd: 10_000 + index,
        latencyMs: 500.5 + (index % 900),
        firstTokenMs: 120.25 + (index % 90),
        longestStallMs: 12,
        parts: 10 + (index % 40),
        answerCharacters: 80 + (index % 2_000),
        streamed: false,
        simulated: true,
      }),
      rewardEvent(index),
      makeEvent(cacheStored, contextOf(index, 'stored'), {
        key: hash,
        tier: 'l1',
        arm,
        model: arm,
        bytes: 700 + (index % 2_000),
        ttlMs: 300_000,
      }),
    ],
  ];
};

export const rewardEvent = (index: number): SwitchyardEvent => {
  const arm = armOf(index);
  const parts = {
    success: index % 3 === 0 ? 0 : 1_000_000,
    streaming: 700_000 + (index % 99_991),
    cache: 0,
    cost: 400_000 + (index % 199_999),
  };
  return makeEvent(rewardRecorded, contextOf(index, 'reward'), {
    arm,
    model: arm,
    revision: 0,
    cause: 'completion',
    parts,
    weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
    rewardMicro: Math.round(0.4 * parts.success + 0.2 * parts.streaming + 0.2 * parts.cost),
    policy,
    decidedAt: timeOf(index),
    cells: cellsOf(index),
    evidence: {
      trials: 1,
      measured: 1,
      failures: 0,
      ...parts,
      successSquare: square(parts.success),
      streamingSquare: square(parts.streaming),
      cacheSquare: 0,
      costSquare: square(parts.cost),
      costNanoUsd: 10_000 + index,
      spendSquare: 100 + (index % 1_000),
      latencyMs: 500 + (index % 900),
      promptTokens: 50 + (index % 750),
      completionTokens: 20 + (index % 500),
    },
  });
};
