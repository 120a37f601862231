import { z } from 'zod';
import type { Messenger, Subscription } from '../bus/messenger.ts';
import { TransientError } from '../errors.ts';
import { subjects } from '../events/index.ts';
import type { Role } from './concern.ts';

/**
 * An actor that lives in another process, behind the same face: its commands travel as a core NATS question, one of its processes answers.
 * Nothing is kept on the way: whoever asks and gets no answer has a TransientError and decides what to do.
 */
const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), reply: z.unknown() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), retryAfterMs: z.number().min(0).max(60_000) }),
]);

const patienceMs = 2_000;

export const serveActor = <Command>(
  messenger: Messenger,
  role: Role,
  schema: z.ZodType<Command>,
  handle: (command: Command) => unknown,
): Subscription =>
  messenger.subscribe(
    subjects.actor(role),
    ({ body, reply }) => {
      if (reply === undefined) return;
      messenger.publish(reply, encode(answerTo(body, schema, handle)));
    },
    { queue: role },
  );

const answerTo = <Command>(
  body: Uint8Array,
  schema: z.ZodType<Command>,
  handle: (command: Command) => unknown,
): z.infer<typeof answerSchema> => {
  try {
    return { ok: true, reply: handle(schema.parse(JSON.parse(new TextDecoder().decode(body)))) };
  } catch (error) {
    const { code, retryAfterMs } = error instanceof TransientError ? error : { code: 'actor-failed', retryAfterMs: 500 };
    return { ok: false, code, message: error instanceof Error ? error.message : 'unknown', retryAfterMs };
  }
};

/** The reply is what the concern's `handle` returns for this command; it comes from the yard's own processes. */
export const askRemote = async (messenger: Messenger, role: Role, command: unknown): Promise<unknown> => {
  const asked = await messenger.ask(subjects.actor(role), encode(command), { timeoutMs: patienceMs });
  if (asked.kind !== 'answer')
    throw new TransientError(`${role}-${asked.kind}`, `expected an answer of a ${role} within ${patienceMs} ms, got ${asked.kind}`, 500);
  const answer = answerSchema.parse(JSON.parse(new TextDecoder().decode(asked.body)));
  if (!answer.ok) throw new TransientError(answer.code, answer.message, answer.retryAfterMs);
  return answer.reply;
};

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
