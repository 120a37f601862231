import type { Policy, SpecOf } from './policy.ts';

/** Fixed shares. Those of arms that are no candidates fall to the others in proportion; when all named arms are excluded the rest share equally. */
export const staticPolicy = ({ shares }: SpecOf<'static'>): Policy => ({
  weigh: ({ candidates }) => {
    // An arm may be called "constructor".
    const own = candidates.map((arm) => (Object.hasOwn(shares, arm) ? (shares[arm] ?? 0) : 0));
    const total = own.reduce((sum, share) => sum + share, 0);
    return {
      posteriors: candidates.map(() => null),
      shares: own.map((share) => (total > 0 ? share / total : 1 / candidates.length)),
    };
  },
});
