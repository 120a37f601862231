import type { RewardWeights } from '../domain/reward/reward.ts';
import type { EventOf } from '../events/index.ts';

/**
 * Equal weights as one object. What policies work out for some weights they keep by the object (src/domain/routing/policies/remembering.ts): a router has its weights from the configuration, and each
 * decision that is read brings a copy of its own.
 */
export const sharedWeights = (): { readonly sharedIn: (event: EventOf<'route.decided'>) => EventOf<'route.decided'> } => {
  const known = new Map<string, RewardWeights>();
  const shared = (weights: RewardWeights): RewardWeights => {
    const { success, streaming, cache, cost } = weights;
    const key = `${success} ${streaming} ${cache} ${cost}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= mostKept) known.clear();
    known.set(key, weights);
    return weights;
  };
  return { sharedIn: (event) => ({ ...event, data: { ...event.data, weights: shared(event.data.weights) } }) };
};

/** One for each tenant that has its own, and change of them. */
const mostKept = 10_000;
