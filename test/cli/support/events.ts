import {
  makeEvent,
  requestIdSchema,
  rewardRecorded,
  cacheStored,
  responseFailed,
  tenantSchema,
  type EventOf,
  type Tenant,
} from '../../../src/events/index.ts';

/** Events as the yard records them, with times and ids that a test can name. */
const tenant = (name: string): Tenant => tenantSchema.parse(name);

type Place = { readonly tenant?: string; readonly request?: string; readonly timeMs?: number };

const context = ({ tenant: name = 'default', request = 'request-1', timeMs = Date.parse('2026-05-01T09:00:00Z') }: Place) => ({
  tenant: tenant(name),
  requestId: requestIdSchema.parse(request),
  source: 'switchyard/test',
  timeMs,
});

export const reward = (arm: string, successMicro: number, place: Place = {}): EventOf<'reward.recorded'> =>
  makeEvent(rewardRecorded, context(place), {
    arm,
    model: 'model-a',
    revision: 0,
    cause: 'completion',
    parts: { success: successMicro, streaming: 500_000, cache: 0, cost: 900_000 },
    weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
    rewardMicro: 600_000,
    evidence: { trials: 1, success: successMicro, streaming: 500_000, cache: 0, cost: 900_000 },
  });

export const stored = (arm: string, place: Place = {}): EventOf<'cache.stored'> =>
  makeEvent(cacheStored, context(place), { key: '0'.repeat(32), tier: 'l1', arm, model: 'model-a', bytes: 2_048, ttlMs: 300_000 });

export const failed = (detail: string, place: Place = {}): EventOf<'response.failed'> =>
  makeEvent(responseFailed, context(place), {
    code: 'provider_error',
    detail,
    arm: 'arm-a',
    model: 'model-a',
    costNanoUsd: 0,
    promptTokens: 3,
    completionTokens: 0,
    latencyMs: 12,
    streamed: true,
    simulated: true,
  });
