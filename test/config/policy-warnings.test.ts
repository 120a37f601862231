import { expect, it } from 'vitest';
import { policyWarnings } from '../../src/config/policy-warnings.ts';
import { policySpecSchema, type PolicySpecInput } from '../../src/events/schemas/policy.ts';

const arms = [
  { id: 'small', enabled: false },
  { id: 'mid', enabled: true },
  { id: 'large', enabled: false },
];
const of = (policy: PolicySpecInput) => policyWarnings({ arms, policy: policySpecSchema.parse(policy) });

it.each<[string, PolicySpecInput, RegExp | null]>([
  ['all shares of disabled arms', { kind: 'static', shares: { small: 0.5, large: 0.5 } }, /all of it .*\(small, large\).*refused/],
  ['the share of a disabled arm', { kind: 'static', shares: { small: 0.5, mid: 0.5 } }, /small is disabled; .* in proportion/],
  ['no share of a disabled arm', { kind: 'static', shares: { small: 0, mid: 1 } }, null],
  ['both arms of a rule', { kind: 'complexity', simple: 'small', complex: 'large' }, /small and large are disabled; the other arms share/],
  ['one arm of a rule', { kind: 'complexity', simple: 'small', complex: 'mid' }, /small is disabled; the other of the two/],
  ['a policy that learns', { kind: 'contextual-thompson' }, null],
])('warns of %s', (_, policy, expected) => {
  const warnings = of(policy);
  expect(warnings).toHaveLength(expected === null ? 0 : 1);
  if (expected !== null) expect(warnings[0]).toMatch(expected);
});
