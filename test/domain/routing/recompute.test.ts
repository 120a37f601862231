import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvents, sequence, type DataOf, type EventOf, type SwitchyardEvent } from '../../../src/events/index.ts';
import type { PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { recompute } from '../../../src/domain/routing/recompute.ts';
import { decideRoute, type RoutingInput } from '../../../src/domain/routing/router.ts';
import { snapshotOf, stateOf } from '../../../src/domain/routing/snapshot.ts';
import { countsOf, emptyRouterState, evolveRouter, type RouterState } from '../../../src/domain/routing/state.ts';
import { historyOf, storedAt } from '../../support/state-events.ts';
import { decided, tenant } from '../support/events.ts';
import { armOf, atTick, contentOf, deciding, learn, request, successOnly } from '../support/routing.ts';

type Decision = DataOf<'route.decided'>;

const price = { inputUsdPerMillionTokens: 3, outputUsdPerMillionTokens: 15 };
const arms = [armOf('quick', { lacks: ['tools'] }), armOf('careful', { price }), armOf('dear'), armOf('retired', { enabled: false })];
const content = (spec: PolicySpecInput) => contentOf(spec, arms);
const specs: readonly PolicySpecInput[] = [
  { kind: 'static', shares: { quick: 0.2, careful: 0.8 } },
  { kind: 'epsilon-greedy', switchingCost: 0.1 },
  { kind: 'complexity', simple: 'quick', complex: 'dear' },
  { kind: 'beta-bernoulli-thompson', floor: 0.02, switchingCost: 0.1 },
  { kind: 'contextual-thompson', floor: 0.01, trial: { requests: 5, share: 0.05 }, switchingCost: 0.1 },
];
const activate = (state: RouterState, spec: PolicySpecInput): RouterState => {
  const event = { ...content(spec), origin: 'command' as const, change: 1 };
  state.policy = { event, rule: deciding(event).rule };
  return state;
};

const question: RoutingInput = {
  tenant,
  requestedModel: 'auto',
  features: request,
  maxOutputTokens: 200,
  needs: [],
  weights: successOnly,
  budget: { usdPerRequest: 1e-3, latencyTargetMs: null },
  conversation: { id: '0'.repeat(32), previousArm: 'careful' },
  decidedAtMs: atTick(100),
  draw: 0.3,
};
/** The decision as it stands in the log: read back from JSON. */
const log = (input: RoutingInput, state: RouterState): Decision => {
  if (state.policy === null) throw new Error('expected a policy');
  const decision = decideRoute(input, { content: state.policy.event, rule: state.policy.rule, canary: false, trial: null }, state);
  if (decision.kind !== 'chosen') throw new Error(`expected a choice, got ${decision.kind}`);
  const { requestedModel, features } = input;
  return JSON.parse(JSON.stringify(decided('r', { ...decision.choice, requestedModel, features }).data)) as Decision;
};

const anyInput: fc.Arbitrary<RoutingInput> = fc.record({
  tenant: fc.constant(tenant),
  requestedModel: fc.constantFrom('auto', 'careful', 'model-of-dear'),
  features: fc.record({ complexity: fc.constantFrom(0.1, 0.9), opening: fc.nat(20) }).map((changes) => ({ ...request, ...changes })),
  maxOutputTokens: fc.constantFrom(0, 100, 7_990),
  needs: fc.constantFrom<RoutingInput['needs']>([], ['tools']),
  weights: fc.constantFrom(successOnly, { success: 0.1, streaming: 0.2, cache: 0.3, cost: 0.4 }),
  budget: fc.record({ usdPerRequest: fc.constantFrom(null, 2e-4, 1), latencyTargetMs: fc.constantFrom(null, 1_000) }),
  conversation: fc.constantFrom(null, { id: '0'.repeat(32), previousArm: 'quick' }, { id: '0'.repeat(32), previousArm: null }),
  decidedAtMs: fc.integer({ min: 0, max: 40 * 86_400 }).map((seconds) => Date.UTC(2026, 0, 1) + seconds * 1_000 + 123),
  draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe('a logged decision comes out the same', () => {
  it('on the fold of its log, folded live, resumed from plain data, or read before by others', () => {
    fc.assert(
      fc.property(historyOf(40), anyInput, fc.constantFrom(...specs), fc.nat(), (history, input, spec, place) => {
        const fold = () =>
          history.reduce(
            (state, events, i) => evolveRouter(state, { sequence: i + 1, storedAtMs: storedAt(i + 1), events }),
            emptyRouterState(),
          );
        const live = activate(fold(), spec);
        const decision = decideRoute(input, deciding(content(spec)), live);
        if (decision.kind !== 'chosen') return;
        const logged = log(input, live);
        const cut = place % (history.length + 1);
        const kept = stateOf(
          snapshotOf(
            history
              .slice(0, cut)
              .reduce(
                (state, events, i) => evolveRouter(state, { sequence: i + 1, storedAtMs: storedAt(i + 1), events }),
                emptyRouterState(),
              ),
          ),
        );
        const resumed = activate(
          history.reduce((state, events, i) => evolveRouter(state, { sequence: i + 1, storedAtMs: storedAt(i + 1), events }), kept),
          spec,
        );
        decideRoute({ ...input, decidedAtMs: atTick(7), draw: 0 }, deciding(content(spec)), resumed);
        for (const state of [live, resumed]) expect(recompute(logged, tenant, state)).toEqual({ kind: 'same' });
      }),
      { seed: 71, numRuns: 150 },
    );
  });

  it('by the canary that decided it', () => {
    const state = activate(emptyRouterState(), { kind: 'static', shares: { quick: 1 } });
    const canary = {
      ...content({ kind: 'static', shares: { careful: 1 } }),
      change: 2,
      share: 0.1,
      guard: { confidence: 0.95, minRequests: 50, rewardMargin: 0, errorMargin: 0, costMargin: 0 },
    };
    state.canary = { event: canary, rule: deciding(canary).rule };
    const decision = decideRoute(question, { ...deciding(canary), canary: true, trial: 2 }, state);
    if (decision.kind !== 'chosen') throw new Error('expected a choice');
    const logged = decided('r', { ...decision.choice, features: request }).data;
    expect(logged.arm).toBe('careful');
    expect(recompute(logged, tenant, state)).toEqual({ kind: 'same' });
    const stable = { ...logged, policy: { ...logged.policy, canary: false } };
    expect(recompute(stable, tenant, state)).toMatchObject({ kind: 'different' });
    state.canaryEnded = { policy: canary.policy, change: 3, outcome: 'withdrawn', reason: '', evidence: null, stateSequence: sequence(0) };
    expect(recompute(logged, tenant, state)).toMatchObject({ kind: 'different' });
  });
});

describe('a decision that was changed', () => {
  const state = activate(emptyRouterState(), {
    kind: 'contextual-thompson',
    floor: 0.01,
    trial: { requests: 5, share: 0.05 },
    switchingCost: 0.1,
  });
  for (const arm of ['quick', 'careful', 'dear']) Object.assign(countsOf(state, arm), { decided: 9, ended: 9 });
  for (const [arm, reward] of [
    ['quick', 0.5],
    ['careful', 0.6],
    ['dear', 0.55],
  ] as const)
    learn(state.evidence, arm, {
      reward,
      times: 20,
      ticks: 90,
      costNanoUsd: 900_000,
      latencyMs: 800,
      completionTokens: 50,
      cells: ['all', 'kind:short-question', 'opening:7'],
    });
  state.paces.set(tenant, {
    step: 3,
    usdPerRequest: 1e-3,
    latencyTargetMs: 500,
    rewardPerUsd: 20,
    rewardPerSecond: 0.01,
    totals: { requests: 1, costNanoUsd: 1, latencyMs: 1 },
    creditNanoUsd: 0,
  });
  const honest = log({ ...question, budget: { usdPerRequest: 1e-3, latencyTargetMs: 500 } }, state);
  const [first, ...others] = honest.candidates;
  const { pacing } = honest;
  const candidate = (changes: Partial<Decision['candidates'][number]>): Partial<Decision> => ({
    candidates: [{ ...first!, ...changes }, ...others],
  });

  it('is honest to begin with', () => {
    expect(recompute(honest, tenant, state)).toEqual({ kind: 'same' });
  });

  const forgeries: readonly (readonly [string, Partial<Decision>])[] = [
    ['arm', { arm: honest.arm === 'dear' ? 'quick' : 'dear' }],
    ['model', { model: 'another' }],
    ['propensity', { propensity: honest.propensity * (1 + 1e-6) }],
    ['draw', { draw: 0.999_999 }],
    ['floor', { floor: 0.02 }],
    ['weights', { weights: { success: 0, streaming: 1, cache: 0, cost: 0 } }],
    ['decidedAt', { decidedAt: new Date(atTick(50_000)).toISOString() }],
    ['stateSequence', { stateSequence: sequence(39) }],
    ['id of the policy', { policy: { ...honest.policy, id: 'other' } }],
    ['version of the policy', { policy: { ...honest.policy, version: 'other' } }],
    ['canary', { policy: { ...honest.policy, canary: true } }],
    ['step of pacing', { pacing: { ...pacing!, step: 2 } }],
    ['budget', { pacing: { ...pacing!, usdPerRequest: 2e-3 } }],
    ['latency objective', { pacing: { ...pacing!, latencyTargetMs: null } }],
    ['price of money', { pacing: { ...pacing!, rewardPerUsd: 21 } }],
    ['price of time', { pacing: { ...pacing!, rewardPerSecond: 0.02 } }],
    ['no pacing', { pacing: null }],
    ['previous arm', { conversation: { ...honest.conversation!, previousArm: 'dear' } }],
    ['no conversation', { conversation: null }],
    ['needs', { needs: ['tools'] }],
    ['longest answer', { maxOutputTokens: 5 }],
    ['requested model', { requestedModel: 'careful' }],
    ['features', { features: { ...request, promptTokensEstimate: 7_990 } }],
    ['kind of request', { features: { ...request, opening: 8, kind: 'other' } }],
    ['exclusions', { exclusions: [] }],
    ['reason of an exclusion', { exclusions: [{ arm: 'retired', reason: 'budget' }] }],
    ['candidates left out', { candidates: others }],
    ['name of a candidate', candidate({ arm: 'new' })],
    ['model of a candidate', candidate({ model: 'another' })],
    ['posterior', candidate({ posterior: { family: 'normal', mean: 0.5, sd: 0.1 } })],
    ['family of a posterior', candidate({ posterior: { family: 'beta', alpha: 1, beta: 1 } })],
    ['posterior left out', candidate({ posterior: null })],
    ['expected cost', candidate({ expectedCostNanoUsd: 1 })],
    ['expected latency', candidate({ expectedLatencyMs: null })],
    ['adjustment', candidate({ adjustment: 0 })],
    ['floor of a candidate', candidate({ floor: 0 })],
    ['propensity of a candidate', candidate({ propensity: first!.propensity + 1e-6 })],
  ];
  it.each(forgeries)('in its %s is found out', (_, forged) => {
    expect(recompute({ ...honest, ...forged }, tenant, state)).toMatchObject({ kind: 'different' });
  });

  it('is told where the two part', () => {
    expect(recompute({ ...honest, model: 'another' }, tenant, state)).toEqual({
      kind: 'different',
      differences: [{ what: 'model', logged: 'another', recomputed: honest.model }],
    });
    expect(recompute(honest, tenant, emptyRouterState())).toMatchObject({
      kind: 'different',
      differences: [{ what: 'policy' }, { what: 'policy version' }],
    });
  });
});

/** Written by the first version of this product: a policy, decisions and rewards in their first versions; one arm has mostly failed. */
describe('a log of version 1', () => {
  const events = readFileSync(new URL('fixtures/log.v1.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line): SwitchyardEvent => {
      const decoded = decodeEvents(new TextEncoder().encode(line));
      if (decoded.kind === 'poison') throw new Error(`${decoded.reason}: ${decoded.detail}`);
      return decoded.events[0];
    });
  const foldTo = (count: number) =>
    events
      .slice(0, count)
      .reduce(
        (state, event, i) => evolveRouter(state, { sequence: i + 1, storedAtMs: Date.parse(event.time), events: [event] }),
        emptyRouterState(),
      );
  const decisions = events.filter((event): event is EventOf<'route.decided'> => event.type === 'route.decided');

  it.each(decisions.map((event) => [event.id, event] as const))('decided %s as it would be decided again', (_, { data, tenant: of }) => {
    expect(recompute(data, of, foldTo(data.stateSequence))).toEqual({ kind: 'same' });
  });

  it('leaves no arm on trial for ever: what it decided and rewarded has ended', () => {
    const state = foldTo(events.length);
    expect(countsOf(state, 'quick')).toEqual({ decided: 1, ended: 1 });
    expect(countsOf(state, 'thorough').ended).toBe(6);
    expect(state.totals.size).toBe(0);
  });
});
