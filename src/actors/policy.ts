import type { Config } from '../config/schema.ts';
import { named, type PolicyContent } from '../domain/routing/policy-version.ts';

/** The policy of the configuration, with the arms and weights that it declares. */
export const policyContent = (config: Config): PolicyContent =>
  named({
    spec: config.policy,
    weights: config.reward.weights,
    arms: config.arms.map((arm) => {
      const model = config.models.find(({ id }) => id === arm.model);
      if (model === undefined) throw new TypeError(`arm ${arm.id} names a model that is not configured`);
      return {
        arm: arm.id,
        model: arm.model,
        enabled: arm.enabled,
        contextTokens: model.contextTokens,
        // What recorded answers did cost is on record; it need not follow from a price.
        price: model.provider.kind === 'recorded' ? null : model.price,
        lacks: [...model.lacks],
      };
    }),
  });
