import { describe, expect, it } from 'vitest';
import { isOfCanary } from '../../../src/domain/routing/assignment.ts';
import { decidersOf, explainRoute } from '../../../src/domain/routing/explain.ts';
import { named } from '../../../src/domain/routing/policy-version.ts';
import { decideRoute, type RoutingInput } from '../../../src/domain/routing/router.ts';
import { emptyRouterState, foldEvent, ruleOf } from '../../../src/domain/routing/state.ts';
import { canaryStarted, makeEvent, policyActivated, systemTenant } from '../../../src/events/index.ts';
import { policySpecSchema, type PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { features, lateMs, rewarded, rewardOf, startMs, tenant, weights } from '../support/events.ts';

const contentOf = (spec: PolicySpecInput) =>
  named({
    spec: policySpecSchema.parse(spec),
    weights,
    arms: ['quick', 'careful', 'retired'].map((arm) => ({
      arm,
      model: `${arm}-model`,
      enabled: arm !== 'retired',
      contextTokens: 1_000,
      price: null,
      lacks: [],
    })),
  });

const beta = contentOf({ kind: 'beta-bernoulli-thompson', memory: { halfLifeSeconds: 3_600 } });
const fixed = contentOf({ kind: 'static', shares: { quick: 0.3, careful: 0.7 } });

const input: RoutingInput = {
  tenant,
  requestedModel: 'auto',
  features,
  maxOutputTokens: 0,
  needs: [],
  weights,
  budget: { usdPerRequest: null, latencyTargetMs: null },
  conversation: null,
  decidedAtMs: startMs + 3_600_000,
  draw: 0,
};

/** 40 rewards of 0.4 + 0.2 and 10 of 0, all an hour before the question. */
const learned = () => {
  const state = emptyRouterState(50);
  for (let i = 0; i < 40; i++) foldEvent(state, rewarded(`q${i}`, rewardOf('quick', 1_000_000, 1_000_000)), lateMs);
  for (let i = 0; i < 10; i++) foldEvent(state, rewarded(`c${i}`, rewardOf('careful', 0)), lateMs);
  return state;
};

const context = { tenant: systemTenant, requestId: 'policy', source: 'switchyard/test', timeMs: startMs };
const activated = makeEvent(policyActivated, context, { ...beta, origin: 'configuration', change: 1 });
const started = makeEvent(canaryStarted, context, {
  ...fixed,
  change: 2,
  share: 0.25,
  guard: { confidence: 0.95, minRequests: 10, rewardMargin: 0, errorMargin: 0, costMargin: 0 },
});

describe('given what was learned', () => {
  const state = learned();
  const deciding = { content: beta, rule: ruleOf(beta), canary: false, trial: null };
  const explanation = explainRoute(input, deciding, 1, state);

  it('then the decision is the very one of the router', () => {
    expect(explanation.decision).toEqual(decideRoute(input, deciding, state));
    expect(explanation.policy).toEqual({ ...beta.policy, kind: 'beta-bernoulli-thompson', canary: false });
  });

  it('then each arm has its trials and mean reward in each cell, over all time and as remembered', () => {
    const [quick, careful, retired] = explanation.arms;
    expect(quick?.cells).toHaveLength(1);
    expect(quick?.cells[0]).toMatchObject({ cell: 'all', trials: 40 });
    expect(quick?.cells[0]?.reward).toBeCloseTo(0.6, 12);
    // After one half-life, to a tick.
    expect(quick?.cells[0]?.remembered?.trials).toBeCloseTo(20, 0);
    expect(quick?.cells[0]?.remembered?.reward).toBeCloseTo(0.6, 12);
    expect(careful?.cells[0]).toMatchObject({ trials: 10, reward: 0 });
    expect(retired?.cells[0]).toEqual({ cell: 'all', trials: 0, reward: null, remembered: { trials: 0, reward: null } });
  });

  it('then what is remembered is what the posterior was made from', () => {
    if (explanation.decision.kind !== 'chosen') throw new Error('expected a choice');
    const { posterior } = explanation.decision.choice.candidates.find(({ arm }) => arm === 'quick') ?? {};
    const remembered = explanation.arms[0]?.cells[0]?.remembered;
    if (posterior?.family !== 'beta' || !remembered) throw new Error('expected a beta posterior and a memory');
    expect(posterior.alpha).toBeCloseTo(1 + remembered.trials * (remembered.reward ?? NaN), 10);
    expect(posterior.alpha + posterior.beta).toBeCloseTo(2 + remembered.trials, 10);
  });

  it('then a policy that does not learn remembers nothing', () => {
    const { arms } = explainRoute(input, { content: fixed, rule: ruleOf(fixed), canary: false, trial: null }, 1, state);
    expect(arms[0]?.cells[0]).toMatchObject({ trials: 40, remembered: null });
  });
});

describe('given arms that failed or changed', () => {
  it('then an open breaker and a jump of the reward are told', () => {
    const state = emptyRouterState(200);
    const at = (i: number) => ({ ...rewardOf('quick', i < 100 ? 1_000_000 : 0), decidedAt: new Date(startMs + i * 30_000).toISOString() });
    for (let i = 0; i < 200; i++) foldEvent(state, rewarded(`q${i}`, at(i)), lateMs);
    const nowMs = startMs + 200 * 30_000;
    for (let i = 0; i < 6; i++) {
      const failure = { ...rewardOf('careful', 0), decidedAt: new Date(nowMs).toISOString() };
      foldEvent(state, rewarded(`c${i}`, { ...failure, cause: 'failure', evidence: { ...failure.evidence, failures: 1 } }), lateMs);
    }
    const { arms, decision } = explainRoute(
      { ...input, decidedAtMs: nowMs },
      { content: beta, rule: ruleOf(beta), canary: false, trial: null },
      1,
      state,
    );
    const [quick, careful] = arms;
    expect([quick?.breakerOpen, careful?.breakerOpen]).toEqual([false, true]);
    if (decision.kind !== 'chosen') throw new Error('expected a choice');
    expect(decision.choice.exclusions).toContainEqual({ arm: 'careful', reason: 'breaker-open' });
    const jumpedMs = Date.parse(quick?.changedAt ?? '');
    expect(Math.abs(jumpedMs - (startMs + 100 * 30_000))).toBeLessThan(10 * 60_000);
    expect(quick?.cells[0]?.remembered?.reward).toBeLessThan(0.1);
    expect(careful?.changedAt).toBeNull();
  });
});

describe('who decides', () => {
  it('is the configured policy until the log has named one', () => {
    expect(decidersOf(emptyRouterState(), fixed, null)).toMatchObject([
      { share: 1, policy: { content: fixed, canary: false, trial: null } },
    ]);
  });

  it('is a lot while a canary runs, and certain for a conversation', () => {
    const state = emptyRouterState();
    foldEvent(state, activated, lateMs);
    foldEvent(state, started, lateMs);
    expect(decidersOf(state, fixed, null)).toMatchObject([
      { share: 0.75, policy: { content: beta, canary: false, trial: 2 } },
      { share: 0.25, policy: { content: fixed, canary: true, trial: 2 } },
    ]);
    const conversations = Array.from({ length: 40 }, (_, i) => `conversation ${i}`);
    for (const conversation of conversations) {
      const [one, ...more] = decidersOf(state, fixed, conversation);
      expect(more).toEqual([]);
      expect(one).toMatchObject({ share: 1, policy: { canary: isOfCanary(started.data, conversation) } });
    }
    expect(new Set(conversations.map((one) => decidersOf(state, fixed, one)[0]?.policy.canary)).size).toBe(2);
  });
});
