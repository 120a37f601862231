import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/random.ts';
import { isOfCanary } from '../../../src/domain/routing/assignment.ts';
import { addEvidence } from '../../../src/domain/routing/evidence.ts';
import { fieldIndex, noSums, type EvidenceField } from '../../../src/domain/routing/sums.ts';
import { extractFeatures } from '../../../src/domain/routing/features/extract.ts';
import { named } from '../../../src/domain/routing/policy-version.ts';
import { decideRoute, type DecidingPolicy } from '../../../src/domain/routing/router.ts';
import { emptyRouterState, ruleOf } from '../../../src/domain/routing/state.ts';
import { policySpecSchema, type PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { tenant, weights } from '../support/events.ts';

/** Assignment is a hash of the key: these are the same keys at each run, and the bounds are those of four standard deviations (1 in 16,000). */
const keys = Array.from({ length: 20_000 }, (_, i) => `conversation ${i}`);
const ofCanary = (change: number, share: number) => keys.filter((key) => isOfCanary({ change, share }, key));
const within = (n: number, share: number) => 4 * Math.sqrt(n * share * (1 - share));

describe('the lots of a canary', () => {
  it.each([0.001, 0.1, 0.5, 0.9])('fall to a share of %d of the conversations', (share) => {
    const expected = keys.length * share;
    expect(Math.abs(ofCanary(1, share).length - expected)).toBeLessThanOrEqual(within(keys.length, share));
  });

  it('are the same for whoever asks, again and again', () => {
    expect(ofCanary(7, 0.1)).toEqual(ofCanary(7, 0.1));
  });

  it('fall anew with another canary: of those of the first, the second has its share and no more', () => {
    const first = ofCanary(1, 0.1);
    const both = first.filter((key) => isOfCanary({ change: 2, share: 0.1 }, key)).length;
    expect(Math.abs(both - 0.1 * first.length)).toBeLessThanOrEqual(within(first.length, 0.1));
  });

  it('keep whom they had when the share of the same canary is larger', () => {
    const more = new Set(ofCanary(1, 0.3));
    expect(ofCanary(1, 0.1).every((key) => more.has(key))).toBe(true);
  });

  it('fall to nobody at 0 and to all at 1', () => {
    expect([ofCanary(1, 0).length, ofCanary(1, 1).length]).toEqual([0, keys.length]);
  });
});

describe('within a conversation', () => {
  const policyWith = (switchingCost: number): DecidingPolicy => {
    // Neither floors nor trials of new arms: what is drawn is what the policy wants.
    const input: PolicySpecInput = { kind: 'contextual-thompson', switchingCost, floor: 0, trial: { requests: 0, share: 0 } };
    const arm = (name: string) => ({ arm: name, model: name, enabled: true, contextTokens: 10_000, price: null, lacks: [] });
    const content = named({ spec: policySpecSchema.parse(input), weights, arms: [arm('quick'), arm('strong')] });
    return { content, rule: ruleOf(content), canary: false, trial: null };
  };

  /** Both arms have been tried with the same result, so that they are alike and are known to be. */
  const stateOfTwins = () => {
    const state = emptyRouterState();
    const half = noSums();
    const counts = {
      trials: 40,
      success: 20,
      successSquare: 20,
      streaming: 20,
      streamingSquare: 10,
      cache: 20,
      cacheSquare: 20,
      cost: 20,
      costSquare: 10,
    };
    for (const [field, value] of Object.entries(counts))
      half[fieldIndex[field as EvidenceField]] = field === 'trials' ? value : value * 1_000_000;
    for (const arm of ['quick', 'strong']) addEvidence(state.evidence, arm, ['all'], Date.UTC(2026, 0, 31), half);
    return state;
  };

  /** How often each arm is drawn. */
  const drawn = (switchingCost: number, previousArm: string | null) => {
    const policy = policyWith(switchingCost);
    const state = stateOfTwins();
    const random = seededRandom('conversation');
    const counts: Record<string, number> = { quick: 0, strong: 0 };
    for (let i = 0; i < 400; i++) {
      const decision = decideRoute(
        {
          tenant,
          requestedModel: 'auto',
          features: extractFeatures({ tenant, messages: [{ role: 'user', content: 'What is a Lagrangian?' }], parameters: {} }),
          maxOutputTokens: 0,
          needs: [],
          weights,
          budget: { usdPerRequest: null, latencyTargetMs: null },
          conversation: { id: 'a'.repeat(32), previousArm },
          decidedAtMs: Date.UTC(2026, 1, 1),
          draw: random(),
        },
        policy,
        state,
      );
      if (decision.kind === 'chosen') counts[decision.choice.arm] = (counts[decision.choice.arm] ?? 0) + 1;
    }
    return counts;
  };

  it('a switching cost of 1 keeps the arm while both are alike', () => {
    expect(drawn(1, 'strong')).toEqual({ quick: 0, strong: 400 });
    expect(drawn(1, 'quick')).toEqual({ quick: 400, strong: 0 });
  });

  it('without one, and at the beginning, both are drawn as often', () => {
    // 200 each, four standard deviations.
    for (const counts of [drawn(0, 'strong'), drawn(1, null)]) expect(Math.abs((counts['quick'] ?? 0) - 200)).toBeLessThanOrEqual(40);
  });

  it('a small one leans to it', () => {
    const { strong } = drawn(0.05, 'strong');
    expect(strong).toBeGreaterThan(240);
    expect(strong).toBeLessThan(400);
  });
});
