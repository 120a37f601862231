import { describe, expect, it } from 'vitest';
import type { Tenant } from '../../../src/events/index.ts';
import { ticksBack } from '../../../src/domain/routing/breaker.ts';
import { mostBudgets } from '../../../src/domain/routing/pacing.ts';
import { decideRoute, type RoutingInput } from '../../../src/domain/routing/router.ts';
import { countsOf, emptyRouterState } from '../../../src/domain/routing/state.ts';
import { seededRandom } from '../../../src/domain/random.ts';
import type { weights } from '../support/events.ts';
import { armOf, atTick, contentOf, deciding, learn, request, successOnly } from '../support/routing.ts';

const arms = [
  armOf('quick', {
    model: 'small',
    contextTokens: 1_000,
    lacks: ['images'],
    price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 },
  }),
  armOf('careful', { model: 'large', price: { inputUsdPerMillionTokens: 10, outputUsdPerMillionTokens: 20 } }),
  armOf('thorough', { model: 'large' }),
  armOf('retired', { model: 'old', enabled: false }),
];
const shares = { quick: 0.5, careful: 0.3, thorough: 0.2 };
const policy = deciding(contentOf({ kind: 'static', shares }, arms));
const question: RoutingInput = {
  tenant: request.tenant,
  requestedModel: 'auto',
  features: request,
  maxOutputTokens: 0,
  needs: [],
  weights: successOnly,
  budget: { usdPerRequest: null, latencyTargetMs: null },
  conversation: null,
  decidedAtMs: atTick(100),
  draw: 0.4,
};

const chosen = (changes: Partial<RoutingInput> = {}, by = policy, state = emptyRouterState()) => {
  const decision = decideRoute({ ...question, ...changes }, by, state);
  if (decision.kind !== 'chosen') throw new Error(`expected a choice, got ${decision.kind}`);
  return decision.choice;
};
const exclusions = (changes: Partial<RoutingInput>, state = emptyRouterState()) =>
  Object.fromEntries(chosen(changes, policy, state).exclusions.map(({ arm, reason }) => [arm, reason]));

describe('fixed shares', () => {
  const only = (named: Readonly<Record<string, number>>, changes: Partial<Parameters<typeof armOf>[1]> = {}) =>
    deciding(
      contentOf(
        { kind: 'static', shares: named, floor: 0.01 },
        arms.map((arm) => (arm.arm === 'quick' ? { ...arm, ...changes } : arm)),
      ),
    );

  it('are a contract: an arm that is not named, new or not, is neither drawn nor tried', () => {
    const choice = chosen({ draw: 0.999 }, only({ quick: 1, thorough: 0 }));
    expect(choice).toMatchObject({ arm: 'quick', propensity: 1 });
    expect(Object.fromEntries(choice.exclusions.map(({ arm, reason }) => [arm, reason]))).toEqual({
      careful: 'no-share',
      thorough: 'no-share',
      retired: 'disabled',
    });
  });

  it('give a new arm its share and no more', () => {
    const content = contentOf({ kind: 'static', shares: { quick: 0.98, careful: 0.02 }, trial: { requests: 5, share: 0.3 } }, arms);
    const { candidates } = chosen({}, deciding(content));
    expect(candidates.map(({ floor, propensity }) => [floor, propensity])).toEqual([
      [0, 0.98],
      [0, 0.02],
    ]);
  });

  it('refuse a request that none of the named arms can take, for the reasons that are told', () => {
    const decision = decideRoute(question, only({ quick: 1 }, { enabled: false }), emptyRouterState());
    expect(decision).toEqual({
      kind: 'no-candidate',
      exclusions: [
        { arm: 'quick', reason: 'disabled' },
        { arm: 'careful', reason: 'no-share' },
        { arm: 'thorough', reason: 'no-share' },
        { arm: 'retired', reason: 'disabled' },
      ],
    });
  });

  it('do not keep a caller from an arm or a model by its name', () => {
    expect(chosen({ requestedModel: 'careful' }, only({ quick: 1 }))).toMatchObject({ arm: 'careful', propensity: 1 });
    expect(chosen({ requestedModel: 'large' }, only({ quick: 1 })).candidates.map(({ propensity }) => propensity)).toEqual([0.5, 0.5]);
  });
});

describe('who may be drawn', () => {
  it('is every enabled arm for "auto", all arms of a model by its name, one arm by its own', () => {
    expect(chosen().candidates.map(({ arm }) => arm)).toEqual(['quick', 'careful', 'thorough']);
    expect(exclusions({})).toEqual({ retired: 'disabled' });
    expect(chosen({ requestedModel: 'large' }).candidates.map(({ arm }) => arm)).toEqual(['careful', 'thorough']);
    expect(exclusions({ requestedModel: 'large' })).toEqual({ quick: 'not-requested', retired: 'not-requested' });
    expect(chosen({ requestedModel: 'thorough', draw: 0 })).toMatchObject({ arm: 'thorough', model: 'large', propensity: 1 });
  });

  it('is not who lacks what the request needs', () => {
    expect(exclusions({ needs: ['images'] })).toEqual({ quick: 'missing-capability', retired: 'disabled' });
    expect(exclusions({ needs: ['tools', 'json'] })).toEqual({ retired: 'disabled' });
  });

  it('is not who cannot hold the prompt and the answer asked for', () => {
    const long = { ...request, promptTokensEstimate: 900 };
    expect(exclusions({ features: long, maxOutputTokens: 100 })).toEqual({ retired: 'disabled' });
    expect(exclusions({ features: long, maxOutputTokens: 100.5 })).toEqual({ quick: 'context-length', retired: 'disabled' });
  });

  it.each([8_000, 1_000_000, Number.MAX_SAFE_INTEGER, 1e300])(
    'is still who has the most room, when the limit of %d is beyond anybody',
    (maxOutputTokens) => {
      expect(exclusions({ maxOutputTokens })).toEqual({ quick: 'context-length', retired: 'disabled' });
      expect(chosen({ maxOutputTokens, requestedModel: 'quick' })).toMatchObject({ arm: 'quick', propensity: 1 });
      // Of those who may be drawn: where the roomy ones lack something, the one that is left has the most room.
      const lacking = arms.map((arm) => (arm.arm === 'quick' ? { ...arm, lacks: [] } : { ...arm, lacks: ['images' as const] }));
      expect(chosen({ maxOutputTokens, needs: ['images'] }, deciding(contentOf({ kind: 'static', shares }, lacking))).arm).toBe('quick');
    },
  );

  it('is not who failed of late, but for a caller who names it', () => {
    const state = emptyRouterState();
    learn(state.evidence, 'quick', { failures: 1, times: 6, ticks: 100 });
    expect(exclusions({}, state)).toEqual({ quick: 'breaker-open', retired: 'disabled' });
    expect(exclusions({ decidedAtMs: atTick(100 + ticksBack - 1) }, state)).toEqual({ quick: 'breaker-open', retired: 'disabled' });
    expect(exclusions({ decidedAtMs: atTick(100 + ticksBack) }, state)).toEqual({ retired: 'disabled' });
    expect(chosen({ requestedModel: 'quick' }, policy, state).arm).toBe('quick');
  });

  it('is not who costs very many budgets at once', () => {
    // 10 tokens at $10 and 400 at $20 for a million: 8.1e-3 dollars, a little more and a little less than may be bought.
    const usdPerRequest = 8.1e-3 / mostBudgets;
    expect(exclusions({ budget: { usdPerRequest: 0.99 * usdPerRequest, latencyTargetMs: null } })).toEqual({
      careful: 'budget',
      retired: 'disabled',
    });
    expect(exclusions({ budget: { usdPerRequest: 1.01 * usdPerRequest, latencyTargetMs: null } })).toEqual({ retired: 'disabled' });
  });

  it('is told, where nobody is left, with the reasons, the first that holds for each', () => {
    expect(decideRoute({ ...question, features: { ...request, promptTokensEstimate: 9_000 } }, policy, emptyRouterState())).toEqual({
      kind: 'no-candidate',
      exclusions: [
        { arm: 'quick', reason: 'context-length' },
        { arm: 'careful', reason: 'context-length' },
        { arm: 'thorough', reason: 'context-length' },
        { arm: 'retired', reason: 'disabled' },
      ],
    });
    expect(decideRoute({ ...question, requestedModel: 'old' }, policy, emptyRouterState())).toMatchObject({ kind: 'no-candidate' });
  });

  it('is nobody under a name that no arm and no model has', () => {
    expect(decideRoute({ ...question, requestedModel: 'small ' }, policy, emptyRouterState())).toEqual({ kind: 'unknown-model' });
  });

  it('is never drawn when it is excluded, whatever the draw', () => {
    const random = seededRandom('exclusions');
    for (let n = 0; n < 2_000; n++) {
      const requestedModel = ['auto', 'large', 'small'][n % 3]!;
      const choice = chosen({
        draw: random(),
        requestedModel,
        features: { ...request, promptTokensEstimate: n % 2 === 0 ? 10 : 900 },
        maxOutputTokens: 100,
      });
      expect(choice.exclusions.map(({ arm }) => arm)).not.toContain(choice.arm);
      expect([...choice.candidates, ...choice.exclusions].map(({ arm }) => arm).sort()).toEqual([
        'careful',
        'quick',
        'retired',
        'thorough',
      ]);
    }
  });
});

describe('the decision', () => {
  it('is drawn from the propensities it records, in the order of the candidates', () => {
    expect([0.49, 0.5, 0.79, 0.8].map((draw) => chosen({ draw }).arm)).toEqual(['quick', 'careful', 'careful', 'thorough']);
    expect(chosen({ draw: 0.6 })).toMatchObject({
      arm: 'careful',
      propensity: 0.3,
      draw: 0.6,
      floor: 0,
      decidedAt: new Date(atTick(100)).toISOString(),
    });
  });

  it('keeps the floor of each candidate: 0.1 + 0.7 x share', () => {
    const floored = deciding(contentOf({ kind: 'static', shares: { quick: 0.8, careful: 0.1, thorough: 0.1 }, floor: 0.1 }, arms));
    expect(chosen({}, floored).candidates.map(({ arm, floor, propensity }) => [arm, floor, Number(propensity.toFixed(12))])).toEqual([
      ['quick', 0.1, 0.66],
      ['careful', 0.1, 0.17],
      ['thorough', 0.1, 0.17],
    ]);
  });

  it('names the policy, the part it took, and the state', () => {
    const state = emptyRouterState(41);
    const choice = chosen({}, { ...policy, canary: true, trial: 3 }, state);
    expect(choice).toMatchObject({ policy: { ...policy.content.policy, canary: true, trial: 3 }, stateSequence: 41 });
  });

  it('turns over with the weights of a tenant, on the same evidence', () => {
    const state = emptyRouterState();
    const good = { success: 1_000_000, successSquare: 1_000_000, cost: 0 };
    const cheap = { success: 0, cost: 1_000_000, costSquare: 1_000_000 };
    learn(state.evidence, 'careful', { ...good, times: 30 });
    learn(state.evidence, 'quick', { ...cheap, times: 30 });
    const thompson = deciding(contentOf({ kind: 'beta-bernoulli-thompson' }, arms));
    const drawn = (of: typeof weights) =>
      new Map(chosen({ weights: of }, thompson, state).candidates.map(({ arm, propensity }) => [arm, propensity]));
    expect(drawn(successOnly).get('careful')).toBeGreaterThan(0.9);
    expect(drawn({ success: 0, streaming: 0, cache: 0, cost: 1 }).get('quick')).toBeGreaterThan(0.9);
  });
});

describe('prices', () => {
  const prices = {
    step: 4,
    usdPerRequest: 1e-3,
    latencyTargetMs: 2_000,
    rewardPerUsd: 30,
    rewardPerSecond: 0.05,
    totals: { requests: 0, costNanoUsd: 0, latencyMs: 0 },
    creditNanoUsd: 0,
  };
  const state = () => {
    const own = emptyRouterState();
    own.paces.set(request.tenant, prices);
    learn(own.evidence, 'quick', { latencyMs: 500, completionTokens: 100 });
    learn(own.evidence, 'careful', { latencyMs: 4_000, completionTokens: 200 });
    return own;
  };
  const budget = { usdPerRequest: 1e-3, latencyTargetMs: 2_000 };

  it('take from each arm what its money and time are worth: 30 x 0.00021 + 0.05 x 0.5, and 30 x 0.0041 + 0.05 x 4', () => {
    const { candidates, pacing } = chosen({ budget }, policy, state());
    expect(pacing).toEqual({ step: 4, usdPerRequest: 1e-3, latencyTargetMs: 2_000, rewardPerUsd: 30, rewardPerSecond: 0.05 });
    expect(candidates.map(({ expectedCostNanoUsd, expectedLatencyMs }) => [expectedCostNanoUsd, expectedLatencyMs])).toEqual([
      [210_000, 500],
      [4_100_000, 4_000],
      [null, null],
    ]);
    [-(30 * 0.00021 + 0.025), -(30 * 0.0041 + 0.2), 0].forEach((adjustment, i) => {
      expect(candidates[i]!.adjustment).toBeCloseTo(adjustment, 12);
    });
  });

  it('are those of the tenant alone, and none without a budget', () => {
    expect(chosen({}, policy, state())).toMatchObject({ pacing: null });
    expect(chosen({}, policy, state()).candidates.every(({ adjustment }) => adjustment === 0)).toBe(true);
    const other = chosen({ budget, tenant: 'globex' as Tenant }, policy, state());
    expect(other.pacing).toMatchObject({ step: 0 });
    expect(other.pacing!.rewardPerUsd).not.toBe(30);
  });

  it('move the choice', () => {
    const greedy = deciding(contentOf({ kind: 'epsilon-greedy', epsilon: 0, prior: { alpha: 1, beta: 1 } }, arms));
    expect(chosen({ budget }, greedy, state()).arm).toBe('thorough');
  });
});

describe('within a conversation', () => {
  it('staying is worth the switching cost', () => {
    const loyal = deciding(contentOf({ kind: 'epsilon-greedy', epsilon: 0, switchingCost: 0.2 }, arms));
    const conversation = { id: '0'.repeat(32), previousArm: 'thorough' };
    const choice = chosen({ conversation }, loyal);
    expect(choice.arm).toBe('thorough');
    expect(choice.candidates.map(({ adjustment }) => adjustment)).toEqual([0, 0, 0.2]);
    expect(chosen({ conversation: { ...conversation, previousArm: null } }, loyal).candidates.map(({ adjustment }) => adjustment)).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('a new arm', () => {
  const trying = deciding(
    contentOf({ kind: 'complexity', simple: 'quick', complex: 'quick', floor: 0, trial: { requests: 5, share: 0.1 } }, arms),
  );
  const knownBut = (name: string) => {
    const state = emptyRouterState();
    for (const { arm } of arms.filter(({ arm }) => arm !== name)) Object.assign(countsOf(state, arm), { decided: 5, ended: 5 });
    return state;
  };

  it('has the share of a trial until its trial requests have ended', () => {
    const state = knownBut('thorough');
    const share = () => chosen({}, trying, state).candidates.find(({ arm }) => arm === 'thorough')?.propensity;
    expect(share()).toBeCloseTo(0.1, 12);
    Object.assign(countsOf(state, 'thorough'), { decided: 5, ended: 5 });
    expect(share()).toBe(0);
  });

  it('is given no more than its trial requests before these end, however many come', () => {
    const state = knownBut('thorough');
    const random = seededRandom('trial');
    const counts = countsOf(state, 'thorough');
    for (let n = 0; n < 2_000; n++) {
      const { arm } = chosen({ draw: random() }, trying, state);
      countsOf(state, arm).decided++;
      // Those of the others end at once.
      if (arm !== 'thorough') countsOf(state, arm).ended++;
      expect(counts.decided).toBeLessThanOrEqual(5);
    }
    expect(counts.decided).toBe(5);
    expect(chosen({}, trying, state).exclusions).toContainEqual({ arm: 'thorough', reason: 'on-trial' });
    counts.ended = 5;
    expect(chosen({}, trying, state).exclusions).toEqual([{ arm: 'retired', reason: 'disabled' }]);
  });

  it('takes requests beyond that when there are only new arms: somebody has to', () => {
    const state = emptyRouterState();
    for (const { arm } of arms) countsOf(state, arm).decided = 5;
    expect(chosen({}, trying, state).candidates.map(({ arm }) => arm)).toEqual(['quick', 'careful', 'thorough']);
    countsOf(state, 'careful').ended = 5;
    expect(chosen({}, trying, state).candidates.map(({ arm }) => arm)).toEqual(['careful']);
  });
});
