import { hash } from 'node:crypto';
import type { Tenant } from '../../events/index.ts';

/**
 * Whether a request has a shadow, and which arm it goes to. Both follow from tenant and request id alone: a retry, and another process, come to the same choice, and neither
 * has anything to do with the number that drew the arm of the delivered answer.
 */
export type ShadowChoice =
  | { readonly kind: 'none' }
  /** Chosen, but the decision had one candidate. */
  | { readonly kind: 'no-second-arm' }
  | {
      readonly kind: 'chosen';
      readonly arm: string;
      readonly model: string;
      /** Of this arm, given that there is a shadow. */
      readonly propensity: number;
    };

export const chooseShadow = (
  request: { readonly tenant: Tenant; readonly requestId: string },
  share: number,
  decision: { readonly arm: string; readonly candidates: readonly { readonly arm: string; readonly model: string }[] },
): ShadowChoice => {
  if (uniformOf('shadow', request) >= share) return { kind: 'none' };
  const others = decision.candidates.filter(({ arm }) => arm !== decision.arm);
  const chosen = others[Math.floor(uniformOf('shadow-arm', request) * others.length)];
  return chosen === undefined
    ? { kind: 'no-second-arm' }
    : { kind: 'chosen', arm: chosen.arm, model: chosen.model, propensity: 1 / others.length };
};

/** Uniform in [0, 1), 48 bits of SHA-256: one number for each purpose, tenant and request. */
const uniformOf = (purpose: string, { tenant, requestId }: { readonly tenant: Tenant; readonly requestId: string }): number =>
  hash('sha256', `${purpose}:${tenant}:${requestId}`, 'buffer').readUIntBE(0, 6) / 2 ** 48;
