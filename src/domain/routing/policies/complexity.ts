import type { Policy, SpecOf } from './policy.ts';

/**
 * Simple questions to the fast arm, complex ones to the strong arm, by the complexity among the features. Where that arm is no candidate the other one takes its place, and where neither is, the
 * rest share equally.
 */
export const complexityPolicy = ({ simple, complex, threshold }: SpecOf<'complexity'>): Policy => ({
  weigh: ({ candidates, features }) => {
    const isComplex = features.version === 2 && features.complexity >= threshold;
    const [first, second] = isComplex ? [complex, simple] : [simple, complex];
    const chosen = candidates.includes(first) ? first : candidates.includes(second) ? second : null;
    return {
      posteriors: candidates.map(() => null),
      shares: candidates.map((arm) => (chosen === null ? 1 / candidates.length : arm === chosen ? 1 : 0)),
    };
  },
});
