import { emptyEvidence, type Evidence } from '../../../../src/domain/routing/evidence.ts';
import type { Policy, PolicyQuestion } from '../../../../src/domain/routing/policies/policy.ts';
import { request, startTick, successOnly } from '../../support/routing.ts';

/** Three arms, and a question to them that is worth nothing but success. */
const questionOf = (changes: Partial<PolicyQuestion> = {}): PolicyQuestion => {
  const candidates = changes.candidates ?? ['quick', 'careful', 'thorough'];
  return {
    candidates,
    adjustments: candidates.map(() => 0),
    features: request,
    cells: ['all'],
    weights: successOnly,
    nowTick: startTick,
    ...changes,
  };
};

export const weigh = (policy: Policy, changes: Partial<PolicyQuestion> = {}, evidence: Evidence = emptyEvidence()) =>
  policy.weigh(questionOf(changes), evidence);

export const sharesOf = (policy: Policy, changes: Partial<PolicyQuestion> = {}, evidence: Evidence = emptyEvidence()): readonly number[] =>
  weigh(policy, changes, evidence).shares;

export const forEver = { halfLifeSeconds: null, falseAlarm: null };
