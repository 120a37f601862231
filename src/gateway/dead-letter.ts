import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { DeadLetters } from '../bus/dead-letters.ts';
import type { GatewayError } from './error-catalogue.ts';

/** Keeps what could not be handled. Never rejects: false when the letter could not be stored either, which the log of the process says. */
export const buryInput = async (
  { dead, logger }: { readonly dead: DeadLetters; readonly logger: Logger },
  input: { readonly subject: string; readonly sequence?: number; readonly body: Uint8Array },
  error: GatewayError,
): Promise<boolean> => {
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
    return true;
  } catch (thrown) {
    logger.error({ ...what, err: thrown }, 'could not be kept as a dead letter');
    return false;
  }
};
