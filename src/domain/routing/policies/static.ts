import type { PolicySpec } from '../../../events/index.ts';
import type { Policy, SpecOf } from './policy.ts';

/**
 * Fixed shares. Those of arms that are no candidates fall to the others in proportion. An arm without a share is drawn only when the caller names it, or its model: where then no candidate has a share they
 * share equally.
 */
export const staticPolicy = ({ shares }: SpecOf<'static'>): Policy => ({
  weigh: ({ candidates }) => {
    const own = candidates.map((arm) => shareOf(shares, arm));
    const total = own.reduce((sum, share) => sum + share, 0);
    return {
      posteriors: candidates.map(() => null),
      shares: own.map((share) => (total > 0 ? share / total : 1 / candidates.length)),
    };
  },
});

/** Whether the policy gives requests to the arm by itself. Fixed shares are a contract: nothing falls to an arm that has none, whatever becomes of the others. */
export const hasShare = (spec: PolicySpec, arm: string): boolean => spec.kind !== 'static' || shareOf(spec.shares, arm) > 0;

// An arm may be called "constructor".
const shareOf = (shares: SpecOf<'static'>['shares'], arm: string): number => (Object.hasOwn(shares, arm) ? (shares[arm] ?? 0) : 0);
