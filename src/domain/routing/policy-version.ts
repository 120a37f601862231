import { createHash } from 'node:crypto';
import type { DataOf } from '../../events/index.ts';

/** Fingerprint of a policy: the first 16 hexadecimal digits of SHA-256 over what it consists of. Equal policies have equal versions on every machine. */
export const policyVersion = (policy: Omit<DataOf<'policy.activated'>, 'policy'> & { readonly id: string }): string => {
  const { id, kind, floor, prior, weights, arms } = policy;
  const parts = [
    id,
    kind,
    floor,
    [prior.alpha, prior.beta],
    [weights.success, weights.streaming, weights.cache, weights.cost],
    arms.map(({ arm, model, enabled, contextTokens }) => [arm, model, enabled, contextTokens]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
};
