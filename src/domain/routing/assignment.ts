import { hash } from 'node:crypto';
import type { DataOf } from '../../events/index.ts';

/**
 * Whether a canary decides: a share of the conversations, or of the requests that belong to none. Whoever asks finds the same, and with another canary the lots fall anew.
 */
export const isOfCanary = ({ change, share }: Pick<DataOf<'policy.canary_started'>, 'change' | 'share'>, key: string): boolean =>
  hash('sha256', `canary ${change} ${key}`, 'buffer').readUInt32BE(0) / 2 ** 32 < share;
