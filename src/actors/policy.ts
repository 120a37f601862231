import type { Config } from '../config/schema.ts';
import { policyVersion } from '../domain/routing/policy-version.ts';
import type { RoutingPolicy } from '../domain/routing/router.ts';
import { makeEvent, policyActivated, systemTenant, type EventOf } from '../events/index.ts';

/** The policy that the configuration declares, and the event that says so. */
export const policyOf = (config: Config): RoutingPolicy => {
  const content = contentOf(config);
  return {
    id: config.policy.id,
    version: policyVersion({ id: config.policy.id, ...content }),
    floor: content.floor,
    prior: content.prior,
    arms: content.arms,
  };
};

export const policyActivatedEvent = (config: Config, source: string, timeMs: number): EventOf<'policy.activated'> => {
  const { id, version } = policyOf(config);
  return makeEvent(
    policyActivated,
    { tenant: systemTenant, requestId: `policy:${version}`, source, timeMs },
    { policy: { id, version }, ...contentOf(config) },
  );
};

const contentOf = (config: Config) => ({
  kind: config.policy.kind,
  floor: config.policy.floor,
  prior: config.policy.prior,
  weights: config.reward.weights,
  arms: config.arms.map((arm) => {
    const model = config.models.find(({ id }) => id === arm.model);
    if (model === undefined) throw new TypeError(`arm ${arm.id} names a model that is not configured`);
    return { arm: arm.id, model: arm.model, enabled: arm.enabled, contextTokens: model.contextTokens };
  }),
});
