import { createHash } from 'node:crypto';
import type { DataOf } from '../../events/index.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Json } from '../../json.ts';

/** All that decides. */
export type PolicyContent = Pick<DataOf<'policy.activated'>, 'policy' | 'spec' | 'weights' | 'arms'>;

/** Fingerprint of a policy: the first 16 hexadecimal digits of SHA-256 over what it consists of. Equal policies have equal versions on every machine. */
export const policyVersion = ({ spec, weights, arms }: Omit<PolicyContent, 'policy'>): string =>
  createHash('sha256')
    // Read back: a key without a value is not a difference.
    .update(canonicalJson(JSON.parse(JSON.stringify([spec, weights, arms])) as Json))
    .digest('hex')
    .slice(0, 16);

/** What a policy consists of, under its name. */
export const named = (content: Omit<PolicyContent, 'policy'>): PolicyContent => ({
  policy: { id: content.spec.id, version: policyVersion(content) },
  ...content,
});
