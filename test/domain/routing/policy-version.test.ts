import { expect, it } from 'vitest';
import { named, policyVersion, type PolicyContent } from '../../../src/domain/routing/policy-version.ts';
import type { PolicySpecInput } from '../../../src/events/schemas/policy.ts';
import { weights } from '../support/events.ts';
import { armOf, contentOf } from '../support/routing.ts';

const quick = armOf('quick');
const base = contentOf({ kind: 'contextual-thompson' }, [quick]);
const version = (changes: Partial<PolicyContent> = {}) => policyVersion({ ...base, ...changes });
const ofSpec = (spec: PolicySpecInput) => version({ spec: contentOf(spec, [quick]).spec });

it('a policy has the same version everywhere: the order of keys and what is left out do not matter', () => {
  expect(version()).toMatch(/^[0-9a-f]{16}$/);
  expect(version({ weights: { cost: 0.2, cache: 0.2, streaming: 0.2, success: 0.4 } })).toBe(version());
  expect(ofSpec({ kind: 'contextual-thompson', warmStart: undefined, cellDeviation: 0.04 })).toBe(version());
  expect(version({ policy: { id: 'x', version: 'y' } })).toBe(version());
});

it('and another one when anything in it changes', () => {
  const others = [
    version(),
    ofSpec({ kind: 'beta-bernoulli-thompson' }),
    ofSpec({ kind: 'contextual-thompson', id: 'other' }),
    ofSpec({ kind: 'contextual-thompson', floor: 0.02 }),
    ofSpec({ kind: 'contextual-thompson', switchingCost: 0.1 }),
    ofSpec({ kind: 'contextual-thompson', trial: { requests: 1, share: 0 } }),
    ofSpec({ kind: 'contextual-thompson', cellDeviation: 0.2 }),
    ofSpec({ kind: 'contextual-thompson', prior: { alpha: 1, beta: 2 } }),
    ofSpec({ kind: 'contextual-thompson', memory: { halfLifeSeconds: null } }),
    ofSpec({ kind: 'contextual-thompson', memory: { falseAlarm: null } }),
    ofSpec({ kind: 'contextual-thompson', warmStart: { cells: [] } }),
    version({ weights: { ...weights, cost: 0.1, success: 0.5 } }),
    version({ arms: [{ ...quick, enabled: false }] }),
    version({ arms: [{ ...quick, contextTokens: 2_000 }] }),
    version({ arms: [{ ...quick, lacks: ['json'] }] }),
    version({ arms: [{ ...quick, price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 } }] }),
    version({ arms: [quick, armOf('careful')] }),
    version({ arms: [armOf('careful'), quick] }),
    version({ arms: [] }),
  ];
  expect(new Set(others).size).toBe(others.length);
});

it('bears the name that its specification gives it', () => {
  const { spec, weights: of, arms } = base;
  expect(named({ spec: { ...spec, id: 'mine' }, weights: of, arms }).policy).toEqual({
    id: 'mine',
    version: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  });
});
