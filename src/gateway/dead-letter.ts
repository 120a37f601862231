import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { DeadLetters } from '../bus/dead-letters.ts';
import type { GatewayError } from './error-catalogue.ts';

/** Keeps what nobody can be told about. Never rejects: when the letter cannot be stored either, the log of the process says so. */
export const buryInput = async (
  { dead, logger }: { readonly dead: DeadLetters; readonly logger: Logger },
  input: { readonly subject: string; readonly sequence?: number; readonly body: Uint8Array },
  error: GatewayError,
): Promise<void> => {
  const reason = error.code.replaceAll('_', '-');
  const what = { origin: input.subject, sequence: input.sequence, reason, bytes: input.body.byteLength };
  try {
    await dead.put({
      reason,
      detail: error.message,
      origin: input.subject,
      ...(input.sequence === undefined ? {} : { originSequence: input.sequence }),
      id: input.sequence === undefined ? randomUUID() : `${input.subject}:${input.sequence}:${reason}`,
      body: input.body,
    });
    logger.warn(what, 'kept as a dead letter');
  } catch (thrown) {
    logger.error({ ...what, err: thrown }, 'could not be kept as a dead letter: lost');
  }
};
