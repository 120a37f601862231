import { z } from 'zod';
import type { Messenger, Subscription } from '../bus/messenger.ts';
import { PermanentError, TransientError } from '../errors.ts';
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

/** For one who answers a request meanwhile. */
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
      const command = schema.safeParse(parse(body));
      const answer = command.success ? answerTo(handle, command.data) : refusal('actor-misunderstood', `expected a command of a ${role}`);
      try {
        messenger.publish(reply, encode(answer));
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error;
        messenger.publish(reply, encode(refusal(error.code, error.message)));
      }
    },
    { queue: role },
  );

type Answer = z.infer<typeof answerSchema>;

const refusal = (code: string, message: string, retryAfterMs = 500): Answer => ({ ok: false, code, message, retryAfterMs });

/** Of an error that nobody foresaw only the fact travels: its text may hold anything. */
const answerTo = <Command>(handle: (command: Command) => unknown, command: Command): Answer => {
  try {
    return { ok: true, reply: handle(command) };
  } catch (error) {
    return error instanceof TransientError
      ? refusal(error.code, error.message, error.retryAfterMs)
      : refusal('actor-failed', 'the command could not be handled');
  }
};

/** The reply is what the concern's `handle` returns for this command; it comes from the yard's own processes. */
export const askRemote = async (
  messenger: Messenger,
  role: Role,
  command: unknown,
  { timeoutMs = patienceMs }: { readonly timeoutMs?: number } = {},
): Promise<unknown> => {
  const asked = await messenger.ask(subjects.actor(role), encode(command), { timeoutMs });
  if (asked.kind !== 'answer')
    throw new TransientError(`${role}-${asked.kind}`, `expected an answer of a ${role} within ${timeoutMs} ms, got ${asked.kind}`, 500);
  const answer = answerSchema.safeParse(parse(asked.body));
  if (!answer.success) throw new TransientError('actor-misunderstood', `expected an answer of a ${role}, got something else`, 500);
  if (!answer.data.ok) throw new TransientError(answer.data.code, answer.data.message, answer.data.retryAfterMs);
  return answer.data.reply;
};

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Undefined where it is not JSON, which no schema takes. */
const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
};
