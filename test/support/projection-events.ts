import {
  cacheHit,
  cacheStored,
  feedbackReceived,
  makeEvent,
  requestIdSchema,
  responseCompleted,
  responseFailed,
  rewardRecorded,
  routeDecided,
  sequence,
  tenantSchema,
  type DataOf,
  type NonEmpty,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import { evidenceFields } from '../../src/domain/routing/sums.ts';
import { evidenceOf, filing } from '../domain/support/events.ts';

/** Events as requests make them, for tests and measurements of what is made from events. `i` names the request and gives its figures. */
export const testTenant = tenantSchema.parse('default');
export const testStartMs = Date.UTC(2026, 0, 1);

const context = (i: number, more: { readonly id?: string; readonly requestId?: string; readonly timeMs?: number } = {}) => ({
  tenant: testTenant,
  requestId: more.requestId ?? `request-${i}`,
  source: 'switchyard/test',
  timeMs: more.timeMs ?? testStartMs + i * 100,
  id: more.id,
});

const key = (i: number): string => i.toString(16).padStart(32, '0');
export const armOf = (i: number): string => `arm-${'abcd'.charAt(i % 4)}`;
const modelOf = (i: number): string => `model-${'abcd'.charAt(i % 4)}`;
const equalWeights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };

export const decided = (i: number, data: Partial<DataOf<'route.decided'>> = {}) =>
  makeEvent(routeDecided, context(i), {
    question: key(i),
    requestedModel: 'auto',
    arm: armOf(i),
    model: modelOf(i),
    propensity: 0.25,
    policy: { id: 'thompson', version: '0123456789abcdef', canary: false, trial: null },
    stateSequence: sequence(i),
    draw: 0.5,
    floor: 0.01,
    weights: equalWeights,
    decidedAt: null,
    pacing: null,
    conversation: null,
    needs: [],
    maxOutputTokens: 0,
    candidates: [0, 1, 2, 3].map((k) => ({
      arm: armOf(k),
      model: modelOf(k),
      posterior: { family: 'beta', alpha: 1 + k, beta: 2.5 } as const,
      expectedCostNanoUsd: null,
      expectedLatencyMs: null,
      adjustment: 0,
      floor: 0.01,
      propensity: 0.25,
    })),
    exclusions: [{ arm: 'arm-z', reason: 'disabled' }],
    features: {
      version: 1,
      promptCharacters: 120,
      promptTokensEstimate: 30,
      messageCount: 2,
      lastMessageCharacters: 80,
      hasCode: i % 2 === 0,
      hasMathematics: false,
      isQuestion: true,
    },
    cache: 'miss',
    streamed: true,
    host: 'test',
    retryable: false,
    deadline: new Date(testStartMs + 60_000).toISOString(),
    ...data,
  });

export const completed = (i: number, data: Partial<DataOf<'response.completed'>> = {}) =>
  makeEvent(responseCompleted, context(i), {
    origin: 'provider',
    arm: armOf(i),
    model: modelOf(i),
    finishReason: 'stop',
    promptTokens: 30,
    completionTokens: 60,
    usageSource: 'provider',
    costNanoUsd: 1_000 * (1 + (i % 4)),
    latencyMs: 100 + (i % 50),
    firstTokenMs: 20.5,
    longestStallMs: 3.25,
    parts: 12,
    answerCharacters: 240,
    streamed: true,
    simulated: true,
    ...data,
  });

export const failed = (i: number, data: Partial<DataOf<'response.failed'>> = {}) =>
  makeEvent(responseFailed, context(i), {
    code: 'provider_error',
    detail: 'status 500',
    arm: armOf(i),
    model: modelOf(i),
    costNanoUsd: 500,
    promptTokens: 30,
    completionTokens: 0,
    latencyMs: 12,
    streamed: true,
    simulated: true,
    ...data,
  });

export const rewarded = (i: number, data: Partial<DataOf<'reward.recorded'>> = {}) => {
  const parts = { success: 1_000_000, streaming: (i * 7_919) % 1_000_001, cache: 0, cost: (i * 104_729) % 1_000_001 };
  return makeEvent(rewardRecorded, context(i), {
    arm: armOf(i),
    model: modelOf(i),
    revision: 0,
    cause: 'completion',
    parts,
    weights: equalWeights,
    rewardMicro: Math.round(0.4 * parts.success + 0.2 * (parts.streaming + parts.cache + parts.cost)),
    ...filing,
    evidence: evidenceOf(parts),
    ...data,
  });
};

export const stored = (i: number) =>
  makeEvent(cacheStored, context(i), { key: key(i), tier: 'l1', arm: armOf(i), model: modelOf(i), bytes: 300, ttlMs: 300_000 });

export const hit = (i: number, of: number) =>
  makeEvent(cacheHit, context(i), {
    key: key(of),
    tier: 'l1',
    lookup: 'exact',
    ageMs: 1_500,
    arm: armOf(of),
    model: modelOf(of),
    originRequestId: requestIdSchema.parse(`request-${of}`),
    savedCostNanoUsd: 1_000 * (1 + (of % 4)),
  });

export const judged = (i: number, data: Partial<DataOf<'feedback.received'>> = {}) =>
  makeEvent(feedbackReceived, context(i), { feedbackId: `feedback-${i}`, kind: 'thumb', scoreMicro: 250_000, ...data });

/** What a revision or a cached answer adds where it adds nothing. */
export const noEvidence = Object.fromEntries(evidenceFields.map((field) => [field, 0])) as DataOf<'reward.recorded'>['evidence'];

/** The two messages that a request leaves in the log: its decision, and what came of it. */
export const requestMessages = (i: number): readonly [NonEmpty<SwitchyardEvent>, NonEmpty<SwitchyardEvent>] => [
  [decided(i)],
  [completed(i), rewarded(i), stored(i)],
];
