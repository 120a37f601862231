import {
  cacheHit,
  feedbackReceived,
  makeEvent,
  responseCompleted,
  responseFailed,
  rewardRecorded,
  routeDecided,
  sequence,
  tenantSchema,
  type DataOf,
  type EventOf,
} from '../../../src/events/index.ts';

/** Events of one request, in their usual form; tests say only what matters to them. */
export const tenant = tenantSchema.parse('acme');
export const weights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };
export const startMs = Date.parse('2026-02-01T12:00:00.000Z');
/** When the log stored an event, where that does not matter: after all of them happened. */
export const lateMs = startMs + 30 * 86_400_000;

type Place = { readonly id?: string; readonly atMs?: number; readonly cause?: string };

const contextOf = (requestId: string, place: Place) => ({
  tenant,
  requestId,
  source: 'switchyard/test',
  timeMs: startMs + (place.atMs ?? 0),
  causationId: place.cause,
  id: place.id,
});

export const features: DataOf<'route.decided'>['features'] = {
  version: 1,
  promptCharacters: 40,
  promptTokensEstimate: 10,
  messageCount: 1,
  lastMessageCharacters: 40,
  hasCode: false,
  hasMathematics: false,
  isQuestion: true,
};

export const decided = (requestId: string, data: Partial<DataOf<'route.decided'>> = {}, place: Place = {}): EventOf<'route.decided'> =>
  makeEvent(routeDecided, contextOf(requestId, place), {
    question: '0'.repeat(32),
    requestedModel: 'auto',
    arm: 'quick',
    model: 'small',
    propensity: 1,
    policy: { id: 'thompson', version: 'v', canary: false, trial: null },
    stateSequence: sequence(0),
    draw: 0.5,
    floor: 0,
    weights,
    decidedAt: null,
    pacing: null,
    conversation: null,
    needs: [],
    maxOutputTokens: 0,
    candidates: [
      {
        arm: 'quick',
        model: 'small',
        posterior: { family: 'beta', alpha: 1, beta: 1 },
        expectedCostNanoUsd: null,
        expectedLatencyMs: null,
        adjustment: 0,
        floor: 0,
        propensity: 1,
      },
    ],
    exclusions: [],
    features,
    cache: 'miss',
    streamed: true,
    host: 'host-a',
    retryable: false,
    deadline: new Date(startMs + 120_000).toISOString(),
    ...data,
  });

export const completion: DataOf<'response.completed'> = {
  origin: 'provider',
  arm: 'quick',
  model: 'small',
  finishReason: 'stop',
  promptTokens: 10,
  completionTokens: 20,
  usageSource: 'provider',
  costNanoUsd: 0,
  latencyMs: 0,
  firstTokenMs: 0,
  longestStallMs: 0,
  parts: 1,
  answerCharacters: 80,
  streamed: true,
  simulated: true,
};

export const completed = (requestId: string, data: Partial<DataOf<'response.completed'>> = {}, place: Place = {}) =>
  makeEvent(responseCompleted, contextOf(requestId, place), { ...completion, ...data });

export const failed = (requestId: string, data: Partial<DataOf<'response.failed'>> = {}, place: Place = {}) =>
  makeEvent(responseFailed, contextOf(requestId, place), {
    code: 'provider_error',
    detail: 'status 500',
    arm: 'quick',
    model: 'small',
    costNanoUsd: 0,
    promptTokens: 0,
    completionTokens: 0,
    latencyMs: 1,
    streamed: true,
    simulated: true,
    ...data,
  });

export const hit = (requestId: string, place: Place = {}) =>
  makeEvent(cacheHit, contextOf(requestId, place), {
    key: '0'.repeat(32),
    tier: 'l1',
    lookup: 'exact',
    ageMs: 10,
    arm: 'quick',
    model: 'small',
    originRequestId: contextOf(requestId, place).requestId as DataOf<'cache.hit'>['originRequestId'],
    savedCostNanoUsd: 5,
  });

export const rewarded = (requestId: string, data: DataOf<'reward.recorded'>, place: Place = {}): EventOf<'reward.recorded'> =>
  makeEvent(rewardRecorded, contextOf(requestId, place), data);

export const feedback = (requestId: string, data: Partial<DataOf<'feedback.received'>>, place: Place = {}): EventOf<'feedback.received'> =>
  makeEvent(feedbackReceived, contextOf(requestId, place), { feedbackId: 'f', kind: 'thumb', scoreMicro: 1_000_000, ...data });

/** The evidence of one trial with these parts, that took no time and cost nothing. */
export const evidenceOf = (parts: DataOf<'reward.recorded'>['parts']): DataOf<'reward.recorded'>['evidence'] => {
  const square = (part: number) => Math.round((part * part) / 1_000_000);
  return {
    trials: 1,
    measured: 1,
    failures: 0,
    ...parts,
    successSquare: square(parts.success),
    streamingSquare: square(parts.streaming),
    cacheSquare: square(parts.cache),
    costSquare: square(parts.cost),
    costNanoUsd: 0,
    spendSquare: 0,
    latencyMs: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
};

/** Where the evidence of a decision of this file is filed. */
export const filing = {
  policy: { id: 'thompson', version: 'v', canary: false, trial: null },
  decidedAt: new Date(startMs).toISOString(),
  cells: ['all'],
};

/** A reward of one trial with these evidence parts. */
export const rewardOf = (arm: string, success: number, streaming = 0, cache = 0, cost = 0): DataOf<'reward.recorded'> => {
  const parts = { success, streaming, cache, cost };
  return {
    arm,
    model: 'small',
    revision: 0,
    cause: 'completion',
    parts,
    weights,
    rewardMicro: 0,
    ...filing,
    evidence: evidenceOf(parts),
  };
};
