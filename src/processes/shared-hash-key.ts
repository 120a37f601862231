import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Agreement } from '../bus/agreement.ts';
import { replaceHashKey } from '../config/hash-key.ts';
import type { Settings } from '../config/settings.ts';
import { PermanentError } from '../errors.ts';

/**
 * The key of the hashes that all processes on one NATS use: with another one a conversation would be another, to its canary and to its previous arm. The first process to come offers its own, made anew or kept in its data
 * folder; the others take that one, and keep it in theirs.
 *
 * A key that SWITCHYARD_HASH_KEY gives is the operator's secret: only its fingerprint is shared, so that a process with another key, or none, is told.
 */
export const agreeOnHashKey = async (options: {
  readonly agreement: Agreement;
  readonly settings: Settings;
  readonly logger: Logger;
}): Promise<Uint8Array> => {
  const { settings, logger } = options;
  const { hashKey: own, hashKeyIsGiven: isGiven } = settings.secrets;
  const offered: Shared = { fingerprint: fingerprintOf(own), key: isGiven ? null : Buffer.from(own).toString('hex') };
  const shared = parse(await options.agreement.offer(new TextEncoder().encode(JSON.stringify(offered))));
  if (shared.fingerprint === offered.fingerprint) return own;
  if (isGiven) {
    logger.warn(
      { given: offered.fingerprint, shared: shared.fingerprint },
      'SWITCHYARD_HASH_KEY differs from the key that the processes on this NATS share: conversations and questions have other hashes here, so canaries, conversations and cached answers do not carry over. Set the same SWITCHYARD_HASH_KEY everywhere, or leave it out; docs/policies.md says how to change the shared key',
    );
    return own;
  }
  if (shared.key === null)
    throw new PermanentError(
      'hash-key',
      `expected SWITCHYARD_HASH_KEY, since the processes on this NATS were given their key by it (fingerprint ${shared.fingerprint}); the key in ${settings.config.dataDir} is another one. Set SWITCHYARD_HASH_KEY as it is set there`,
    );
  const key = Buffer.from(shared.key, 'hex');
  replaceHashKey(key, settings.config.dataDir);
  logger.info({ fingerprint: shared.fingerprint }, 'the key of the hashes is the one that the processes on this NATS share');
  return key;
};

const sharedSchema = z
  .strictObject({
    fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
    key: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
  })
  .refine(({ fingerprint, key }) => key === null || fingerprintOf(Buffer.from(key, 'hex')) === fingerprint);
type Shared = z.infer<typeof sharedSchema>;

const parse = (value: Uint8Array): Shared => {
  try {
    return sharedSchema.parse(JSON.parse(new TextDecoder().decode(value)));
  } catch {
    // The value may hold a key: it is in no message.
    throw new PermanentError(
      'hash-key',
      'expected the shared key of the hashes in the stream SWITCHYARD_AGREEMENTS, got something else (hidden); stop all processes, delete that stream, and start again',
    );
  }
};

/** Tells keys apart, and tells nothing of a key: 32 random bytes cannot be guessed from it. */
const fingerprintOf = (key: Uint8Array): string =>
  createHash('sha256').update('switchyard hash key\n').update(key).digest('hex').slice(0, 16);
