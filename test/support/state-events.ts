import fc from 'fast-check';
import { evidenceFields } from '../../src/domain/routing/sums.ts';
import {
  budgetPaced,
  canaryEnded,
  canaryStarted,
  makeEvent,
  policyActivated,
  rewardRecorded,
  routeDecided,
  systemTenant,
  tenantSchema,
  type DataOf,
  type EventContext,
  type NonEmpty,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import { sequence } from '../../src/events/index.ts';
import { policySpecSchema } from '../../src/events/schemas/policy.ts';
import { decided, weights } from '../domain/support/events.ts';

/**
 * Random pasts of a router: decisions, rewards and their revisions that were decided seconds or years apart (some, they say, in the future) and come in any order, paces, changes of policy, canaries and their trials. Each change and each pace has a
 * number of its own, as in a log.
 */
export type History = readonly NonEmpty<SwitchyardEvent>[];

const tenants = ['acme', 'globex'].map((name) => tenantSchema.parse(name));
const cells = ['all', 'kind:code', 'opening:7'];
const startMs = Date.UTC(2026, 0, 1);
/** When the log stored a message. */
export const storedAt = (position: number): number => startMs + 250_000 + 700 * position;
const dayMs = 86_400_000;

const arm = fc.constantFrom('quick', 'careful', 'dear');
const tenant = fc.constantFrom(...tenants);
const atMs = fc.oneof(
  fc.integer({ min: 0, max: 300_000 }).map((ms) => startMs + ms),
  fc.integer({ min: 0, max: 40 * dayMs }).map((ms) => startMs - ms),
  fc.integer({ min: 0, max: 6 * 365 }).map((days) => startMs - days * dayMs),
  fc.constantFrom(0, 15_999, 16_000),
  // A clock that runs ahead, or somebody who says anything.
  fc.constantFrom(startMs + 2 * 3_600_000, startMs + 300 * dayMs, Date.UTC(2300, 0, 2), Date.UTC(9999, 11, 31, 23, 59, 59, 999)),
);
const delta = fc.integer({ min: -1_000_000, max: 1_000_000 });
const large = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 10 ** 12 }));
const bit = fc.integer({ min: 0, max: 1 });
const assigned = fc.record({
  id: fc.constant('thompson'),
  version: fc.constantFrom('v1', 'v2'),
  canary: fc.boolean(),
  trial: fc.option(fc.integer({ min: 1, max: 8 })),
});

const fieldValue = (field: (typeof evidenceFields)[number]): fc.Arbitrary<number> => {
  if (['trials', 'measured', 'failures'].includes(field)) return bit;
  return /^(success|streaming|cache|cost)(Square)?$/.test(field) ? delta : large;
};
const evidence = fc.record(Object.fromEntries(evidenceFields.map((field) => [field, fieldValue(field)]))) as fc.Arbitrary<
  DataOf<'reward.recorded'>['evidence']
>;

type Step = (context: (of?: EventContext['tenant']) => EventContext, next: (counter: string) => number) => SwitchyardEvent;

const decision: fc.Arbitrary<Step> = fc
  .record({ arm, tenant, policy: assigned })
  .map((data) => (context) => makeEvent(routeDecided, context(data.tenant), { ...decided('r').data, arm: data.arm, policy: data.policy }));

const reward: fc.Arbitrary<Step> = fc
  .record({
    arm,
    tenant,
    evidence,
    decidedAtMs: fc.option(atMs),
    depth: fc.integer({ min: 0, max: cells.length }),
    policy: fc.option(assigned, { freq: 6 }),
    revision: fc.integer({ min: 0, max: 2 }),
    cause: fc.constantFrom('completion', 'failure', 'feedback', 'cache', 'interruption'),
  })
  .map(
    ({ tenant: of, decidedAtMs, depth, ...data }) =>
      (context) =>
        makeEvent(rewardRecorded, context(of), {
          ...data,
          model: 'small',
          parts: { success: 0, streaming: 0, cache: 0, cost: 0 },
          weights,
          rewardMicro: 0,
          decidedAt: decidedAtMs === null ? null : new Date(decidedAtMs).toISOString(),
          cells: cells.slice(0, depth),
        }),
  );

const pace: fc.Arbitrary<Step> = fc
  .record({ tenant, rewardPerUsd: fc.double({ min: 0, max: 1e3, noNaN: true }), requests: fc.nat(1_000) })
  .map(
    ({ tenant: of, rewardPerUsd, requests }) =>
      (context, next) =>
        makeEvent(budgetPaced, context(of), {
          step: next(`pace of ${of}`),
          usdPerRequest: 0.01,
          latencyTargetMs: null,
          rewardPerUsd,
          rewardPerSecond: 0,
          totals: { requests, costNanoUsd: 7 * requests, latencyMs: 3 },
          creditNanoUsd: 0 - requests,
          stateSequence: sequence(0),
        }),
  );

const content = (version: string, floor: number) => ({
  policy: { id: 'thompson', version },
  spec: policySpecSchema.parse({ kind: 'contextual-thompson', floor }),
  weights,
  arms: [{ arm: 'quick', model: 'small', enabled: true, contextTokens: 1_000, price: null, lacks: [] }],
});
const policy = fc.record({
  version: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 }),
  floor: fc.constantFrom(0, 0.01, 0.1),
});
const origin = fc.constantFrom('configuration', 'command', 'promotion');

/** A change of policy by itself. */
export const activated = (change: number, from: DataOf<'policy.activated'>['origin']) =>
  makeEvent(
    policyActivated,
    { tenant: systemTenant, requestId: 'policy', source: 'switchyard/test', timeMs: startMs },
    { ...content(`version-${change}`, 0.01), origin: from, change },
  );

const activation: fc.Arbitrary<Step> = fc.record({ policy, origin }).map(
  ({ policy: { version, floor }, origin: from }) =>
    (context, next) =>
      makeEvent(policyActivated, context(systemTenant), { ...content(version, floor), origin: from, change: next('change') }),
);

const canaryStart: fc.Arbitrary<Step> = policy.map(
  ({ version, floor }) =>
    (context, next) =>
      makeEvent(canaryStarted, context(systemTenant), {
        ...content(version, floor),
        change: next('change'),
        share: 0.1,
        guard: { confidence: 0.95, minRequests: 50, rewardMargin: 0, errorMargin: 0, costMargin: 0.1 },
      }),
);

const canaryEnd: fc.Arbitrary<Step> = fc.constantFrom('promoted', 'rolled-back', 'withdrawn').map(
  (outcome) => (context, next) =>
    makeEvent(canaryEnded, context(systemTenant), {
      policy: { id: 'thompson', version: 'v2' },
      change: next('change'),
      outcome,
      reason: 'quoted \'and\' "so" \\ on',
      evidence: null,
      stateSequence: sequence(0),
    }),
);

const step = fc.oneof(
  { arbitrary: decision, weight: 6 },
  { arbitrary: reward, weight: 14 },
  { arbitrary: pace, weight: 2 },
  { arbitrary: activation, weight: 1 },
  { arbitrary: canaryStart, weight: 1 },
  { arbitrary: canaryEnd, weight: 1 },
);

/** Messages of one to three events, in the order of the log. */
export const historyOf = (maxMessages: number): fc.Arbitrary<History> =>
  fc.array(fc.array(fc.tuple(step, atMs), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: maxMessages }).map((messages) => {
    const counters = new Map<string, number>();
    const next = (counter: string) => {
      const value = (counters.get(counter) ?? 0) + 1;
      counters.set(counter, value);
      return value;
    };
    return messages.map((steps) => {
      const [first, ...rest] = steps.map(([make, timeMs]) =>
        make(
          (of = tenants[0] ?? systemTenant) => ({
            tenant: of,
            requestId: 'r',
            source: 'switchyard/test',
            timeMs,
            id: `event-${next('event')}`,
          }),
          next,
        ),
      );
      if (first === undefined) throw new TypeError('expected a message to hold an event');
      return [first, ...rest];
    });
  });
