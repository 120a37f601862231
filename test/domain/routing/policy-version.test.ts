import { expect, it } from 'vitest';
import { policyVersion } from '../../../src/domain/routing/policy-version.ts';
import { weights } from '../support/events.ts';

const policy = {
  id: 'thompson',
  kind: 'beta-bernoulli-thompson',
  floor: 0.01,
  prior: { alpha: 1, beta: 1 },
  weights,
  arms: [{ arm: 'quick', model: 'small', enabled: true, contextTokens: 1_000 }],
} as const;
const version = (changes: Partial<Parameters<typeof policyVersion>[0]> = {}) =>
  policyVersion({ ...policy, arms: [...policy.arms], ...changes });

it('a policy has the same version everywhere, and another when anything in it changes', () => {
  expect(version()).toMatch(/^[0-9a-f]{16}$/);
  expect(version({ weights: { cost: 0.2, cache: 0.2, streaming: 0.2, success: 0.4 } })).toBe(version());
  const others = [
    version(),
    version({ id: 'other' }),
    version({ floor: 0.02 }),
    version({ prior: { alpha: 1, beta: 2 } }),
    version({ weights: { ...weights, cost: 0.1, success: 0.5 } }),
    version({ arms: [{ ...policy.arms[0], enabled: false }] }),
    version({ arms: [{ ...policy.arms[0], contextTokens: 2_000 }] }),
    version({ arms: [] }),
  ];
  expect(new Set(others).size).toBe(others.length);
});
