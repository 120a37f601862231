import type { RewardWeights } from '../../domain/reward/reward.ts';

/**
 * Equal weights as one object. What policies work out for some weights they keep by the object (src/domain/routing/policies/remembering.ts): a router has its weights from the configuration, and each
 * decision that is read may bring a copy of its own.
 */
export const sharedWeights = (): (<Decision extends { readonly data: { readonly weights: RewardWeights } }>(
  event: Decision,
) => Decision) => {
  const known = new Map<string, RewardWeights>();
  const shared = new Set<RewardWeights>();
  const sharedOf = (weights: RewardWeights): RewardWeights => {
    if (shared.has(weights)) return weights;
    const { success, streaming, cache, cost } = weights;
    const key = `${success} ${streaming} ${cache} ${cost}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= mostKept) {
      known.clear();
      shared.clear();
    }
    known.set(key, weights);
    shared.add(weights);
    return weights;
  };
  return (event) => {
    const weights = sharedOf(event.data.weights);
    return weights === event.data.weights ? event : { ...event, data: { ...event.data, weights } };
  };
};

/** One for each tenant that has its own, and change of them. */
const mostKept = 10_000;
