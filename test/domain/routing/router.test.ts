import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from '../../../src/errors.ts';
import { sequence, type DataOf, type SwitchyardEvent } from '../../../src/events/index.ts';
import { recompute } from '../../../src/domain/routing/recompute.ts';
import { decideRoute, evolveRouter, routerStateOf, type RoutingInput, type RoutingPolicy } from '../../../src/domain/routing/router.ts';
import { completed, decided, features, rewarded, rewardOf, weights } from '../support/events.ts';

const policy: RoutingPolicy = {
  id: 'thompson',
  version: 'abc',
  floor: 0.01,
  prior: { alpha: 1, beta: 1 },
  arms: [
    { arm: 'quick', model: 'small', enabled: true, contextTokens: 1_000 },
    { arm: 'careful', model: 'large', enabled: true, contextTokens: 8_000 },
    { arm: 'thorough', model: 'large', enabled: true, contextTokens: 8_000 },
    { arm: 'retired', model: 'old', enabled: false, contextTokens: 8_000 },
  ],
};
const question: RoutingInput = { requestedModel: 'auto', features, maxOutputTokens: 0, weights, draw: 0.5 };

const empty = () => routerStateOf({ sequence: 0, evidence: new Map() });
/** given(events): the state after one entry for each event. */
const given = (...events: readonly SwitchyardEvent[]) =>
  events.reduce((state, event, i) => evolveRouter(state, { sequence: i + 1, events: [event] }), empty());
const when = (changes: Partial<RoutingInput>, state = empty()) => decideRoute({ ...question, ...changes }, policy, state);
const chosen = (changes: Partial<RoutingInput>, state = empty()) => {
  const decision = when(changes, state);
  if (decision.kind !== 'chosen') throw new Error(`expected a choice, got ${decision.kind}`);
  return decision.choice;
};

describe('given no evidence', () => {
  it('when anything goes, then the enabled arms have equal shares and the draw decides', () => {
    const choice = chosen({ draw: 0.4 });
    expect(choice.candidates.map(({ arm }) => arm)).toEqual(['quick', 'careful', 'thorough']);
    for (const { propensity, alpha, beta } of choice.candidates) {
      expect([alpha, beta]).toEqual([1, 1]);
      expect(propensity).toBeCloseTo(1 / 3, 12);
    }
    expect(choice).toMatchObject({ arm: 'careful', model: 'large', draw: 0.4, floor: 0.01, stateSequence: 0 });
    expect(choice.exclusions).toEqual([{ arm: 'retired', reason: 'disabled' }]);
  });

  it('when a model is named, then its arms are the candidates', () => {
    const choice = chosen({ requestedModel: 'large' });
    expect(choice.candidates.map(({ arm }) => arm)).toEqual(['careful', 'thorough']);
    expect(choice.exclusions).toEqual([
      { arm: 'quick', reason: 'not-requested' },
      { arm: 'retired', reason: 'not-requested' },
    ]);
  });

  it('when an arm is named, then it is certain', () => {
    expect(chosen({ requestedModel: 'thorough' })).toMatchObject({ arm: 'thorough', propensity: 1 });
  });

  it('when the prompt and the answer asked for do not fit, then the arm is excluded', () => {
    const long = { ...features, promptTokensEstimate: 900 };
    expect(chosen({ features: long, maxOutputTokens: 100 }).exclusions).not.toContainEqual({ arm: 'quick', reason: 'context-length' });
    expect(chosen({ features: long, maxOutputTokens: 101 }).exclusions).toContainEqual({ arm: 'quick', reason: 'context-length' });
  });

  it('when no arm can take it, then the reasons are told', () => {
    expect(when({ maxOutputTokens: 1e300 })).toEqual({
      kind: 'no-candidate',
      exclusions: [
        { arm: 'quick', reason: 'context-length' },
        { arm: 'careful', reason: 'context-length' },
        { arm: 'thorough', reason: 'context-length' },
        { arm: 'retired', reason: 'disabled' },
      ],
    });
    expect(when({ requestedModel: 'old' })).toMatchObject({ kind: 'no-candidate' });
  });

  it('when a name is asked for that nobody has, then it is unknown', () => {
    expect(when({ requestedModel: 'small ' })).toEqual({ kind: 'unknown-model' });
  });
});

describe('given rewards', () => {
  const state = given(
    ...Array.from({ length: 30 }, (_, i) => rewarded(`a${i}`, rewardOf('careful', 1_000_000, 900_000, 1_000_000, 900_000))),
    ...Array.from({ length: 30 }, (_, i) => rewarded(`b${i}`, rewardOf('quick', 0, 500_000, 0, 1_000_000))),
    completed('c'),
  );

  it('then the better arm has the larger share and the decision names the state', () => {
    const choice = chosen({}, state);
    const share = new Map(choice.candidates.map(({ arm, propensity }) => [arm, propensity]));
    expect(share.get('careful')).toBeGreaterThan(0.8);
    expect(share.get('quick')).toBeCloseTo(0.01, 4);
    expect(choice.stateSequence).toBe(61);
  });

  it('then the weights of a tenant turn the same evidence over', () => {
    const thrifty = chosen({ weights: { success: 0, streaming: 0, cache: 0, cost: 1 } }, state);
    const [quick, careful] = thrifty.candidates;
    expect(quick!.propensity).toBeGreaterThan(careful!.propensity);
  });

  it('then an unchanged state gives the same vector, and a changed one another', () => {
    const own = given(rewarded('a', rewardOf('quick', 1_000_000)));
    const first = chosen({}, own).candidates;
    expect(chosen({ draw: 0.9 }, own).candidates).toEqual(first);
    evolveRouter(own, { sequence: 2, events: [rewarded('b', rewardOf('careful', 0))] });
    expect(chosen({}, own).candidates).not.toEqual(first);
  });

  it('then what is remembered of a state is bounded', () => {
    const own = given(rewarded('a', rewardOf('quick', 1_000_000)));
    for (let i = 0; i < 2_000; i++) chosen({ weights: { ...weights, cost: i / 10_000 } }, own);
    expect(own.weighed.size).toBeLessThanOrEqual(256);
  });
});

const evidenceData = fc.record({
  arm: fc.constantFrom('quick', 'careful', 'thorough'),
  success: fc.integer({ min: 0, max: 1_000_000 }),
  streaming: fc.integer({ min: 0, max: 1_000_000 }),
  cache: fc.constantFrom(0, 1_000_000),
  cost: fc.integer({ min: 0, max: 1_000_000 }),
});
const rewards = fc.array(
  evidenceData.map(({ arm, success, streaming, cache, cost }) => rewarded('r', rewardOf(arm, success, streaming, cache, cost))),
  { maxLength: 60 },
);

describe('the fold', () => {
  it('of a ++ b is the fold of b on the fold of a; folding again what was folded changes nothing; an entry may hold several events', () => {
    fc.assert(
      fc.property(rewards, rewards, (a, b) => {
        const entries = [...a, ...b].map((event, i) => ({ sequence: i + 1, events: [event] }));
        const whole = given(...a, ...b);
        const stored = given(...a);
        const resumed = routerStateOf({ sequence: stored.sequence, evidence: stored.evidence });
        for (const entry of entries) evolveRouter(resumed, entry);
        const together = evolveRouter(empty(), { sequence: 1, events: [...a, ...b] });
        expect(resumed.evidence).toEqual(whole.evidence);
        expect(resumed.sequence).toBe(whole.sequence);
        expect(together.evidence).toEqual(whole.evidence);
      }),
      { seed: 21, numRuns: 60 },
    );
  });

  it('gives the same sums in any order, to the last digit', () => {
    fc.assert(
      fc.property(
        rewards.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const arms = (events: readonly SwitchyardEvent[]) => new Map([...given(...events).evidence].sort());
          expect(arms(shuffled)).toEqual(arms(list));
        },
      ),
      { seed: 22, numRuns: 60 },
    );
  });

  it('refuses a gap', () => {
    const state = given(completed('a'));
    expect(() => evolveRouter(state, { sequence: 3, events: [] })).toThrow(InvariantError);
    expect(state.sequence).toBe(1);
  });

  it('goes past entries that it has no use for, poison included', () => {
    expect(evolveRouter(given(completed('a')), { sequence: 2, events: [] })).toMatchObject({ sequence: 2, evidence: new Map() });
  });
});

describe('a logged decision', () => {
  const activated: DataOf<'policy.activated'> = {
    policy: { id: policy.id, version: policy.version },
    kind: 'beta-bernoulli-thompson',
    floor: policy.floor,
    prior: policy.prior,
    weights,
    arms: [...policy.arms],
  };
  const state = given(...Array.from({ length: 40 }, (_, i) => rewarded(`a${i}`, rewardOf(i % 3 === 0 ? 'quick' : 'careful', i * 20_000))));
  const at = { sequence: state.sequence, evidence: state.evidence };
  const logged = (changes: Partial<RoutingInput> = {}) => {
    const input = { ...question, ...changes };
    return decided('r', { ...chosen(changes, state), requestedModel: input.requestedModel, features: input.features }).data;
  };

  it('comes out the same from the log, for every draw and tenant', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom('auto', 'large', 'careful'),
        (draw, requestedModel) => {
          const tenantWeights = { success: 0.1, streaming: 0.2, cache: 0.3, cost: 0.4 };
          expect(recompute(logged({ draw, requestedModel, weights: tenantWeights, maxOutputTokens: 995 }), activated, at)).toEqual({
            kind: 'same',
          });
        },
      ),
      { seed: 23 },
    );
  });

  it('is found out when something in it was changed', () => {
    const honest = logged({ draw: 0.001 });
    const [first, ...others] = honest.candidates;
    const forgeries: readonly DataOf<'route.decided'>[] = [
      { ...honest, arm: 'thorough' },
      { ...honest, draw: 0.999 },
      { ...honest, propensity: honest.propensity + 1e-6 },
      { ...honest, candidates: [{ ...first!, propensity: first!.propensity + 1e-6 }, ...others] },
      { ...honest, candidates: [{ ...first!, alpha: first!.alpha + 1 }, ...others] },
      { ...honest, candidates: others },
      { ...honest, exclusions: [] },
      { ...honest, features: { ...features, promptTokensEstimate: 5_000 } },
      { ...honest, weights: { success: 1, streaming: 0, cache: 0, cost: 0 } },
      { ...honest, policy: { id: 'thompson', version: 'other' } },
      { ...honest, stateSequence: sequence(39) },
    ];
    for (const forgery of forgeries) expect(recompute(forgery, activated, at)).toMatchObject({ kind: 'different' });
  });

  it('says where the two part', () => {
    expect(recompute({ ...logged({ draw: 0.001 }), arm: 'thorough' }, activated, at)).toEqual({
      kind: 'different',
      differences: [{ what: 'arm', logged: 'thorough', recomputed: 'quick' }],
    });
  });
});
