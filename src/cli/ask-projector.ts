import { z } from 'zod';
import type { Messenger } from '../bus/messenger.ts';
import { subjects } from '../events/index.ts';
import type { ProjectorCommand } from '../projections/serve-projector.ts';
import { unreachable } from './exit-codes.ts';

/** A question to the projector, which alone has the engine open. */
export const askProjector = async <T>(
  messenger: Messenger,
  command: ProjectorCommand,
  schema: z.ZodType<T>,
  timeoutMs: number,
): Promise<T> => {
  const asked = await messenger.ask(subjects.actor('projector'), new TextEncoder().encode(JSON.stringify(command)), { timeoutMs });
  if (asked.kind === 'no-responder') throw unreachable('no projector answers: see ./switchyard status');
  if (asked.kind === 'timeout')
    throw unreachable(`expected an answer of the projector within ${timeoutMs / 1_000} s, got none; it may be busy, try again`);
  const answer: unknown = JSON.parse(new TextDecoder().decode(asked.body));
  const failed = errorSchema.safeParse(answer);
  if (failed.success) throw unreachable(`the projector cannot do it now: ${failed.data.error.message} (${failed.data.error.code})`);
  return schema.parse(answer);
};

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export const projectorStatusSchema = z.looseObject({
  state: z.string(),
  checkpoint: z.number(),
  logLast: z.number(),
  lagMessages: z.number(),
  lagMs: z.number(),
  rowsPerSecond: z.number(),
  fault: z.string().nullable(),
});
export type SeenProjector = z.infer<typeof projectorStatusSchema>;

/** Long enough for a projector that is writing a large batch. */
export const statusTimeoutMs = 3_000;
