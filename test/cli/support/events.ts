import {
  budgetPaced,
  makeEvent,
  policyActivated,
  requestIdSchema,
  rewardRecorded,
  cacheStored,
  responseFailed,
  sequence,
  tenantSchema,
  type EventOf,
  type Tenant,
} from '../../../src/events/index.ts';
import { policySpecSchema } from '../../../src/events/schemas/policy.ts';
import { evidenceOf, filing } from '../../domain/support/events.ts';

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
    ...filing,
    evidence: evidenceOf({ success: successMicro, streaming: 500_000, cache: 0, cost: 900_000 }),
  });

export const activated = (version: string): EventOf<'policy.activated'> =>
  makeEvent(policyActivated, context({ tenant: '_system' }), {
    policy: { id: 'thompson', version },
    spec: policySpecSchema.parse({ kind: 'static', shares: { 'arm-a': 1 } }),
    weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
    arms: [{ arm: 'arm-a', model: 'model-a', enabled: true, contextTokens: 1_000, price: null, lacks: [] }],
    origin: 'configuration',
    change: 1,
  });

export const paced = (step: number): EventOf<'budget.paced'> =>
  makeEvent(budgetPaced, context({}), {
    step,
    usdPerRequest: 0.01,
    latencyTargetMs: null,
    rewardPerUsd: 2.5,
    rewardPerSecond: 0,
    totals: { requests: 10, costNanoUsd: 1_000, latencyMs: 20 },
    creditNanoUsd: 0,
    stateSequence: sequence(3),
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
