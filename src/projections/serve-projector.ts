import type { Logger } from 'pino';
import { z } from 'zod';
import type { IncomingMessage, Messenger } from '../bus/messenger.ts';
import { subjects } from '../events/index.ts';
import { explainError } from './clickhouse.ts';
import type { Reconciliation } from './reconcile.ts';
import type { ProjectorStatus } from './status.ts';

/**
 * The projector's face on the bus, subject `switchyard.actor.projector`, and the same with the id of its database behind it for those who mean this one of several: an empty message or `{"command":"status"}` is answered with the status,
 * `{"command":"reconcile","from":1,"to":1000}` with a reconciliation (it may take minutes), all else with `{"error":{"code","message"}}`.
 */
export type ProjectorFaces = {
  readonly status: () => ProjectorStatus;
  readonly reconcile: (range: SequenceRange) => Promise<Reconciliation>;
};

/** Both ends included. */
export type SequenceRange = { readonly from?: number | undefined; readonly to?: number | undefined };

export const projectorCommandSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('reconcile'), from: z.int().min(1).optional(), to: z.int().min(1).optional() }),
]);
export type ProjectorCommand = z.infer<typeof projectorCommandSchema>;

export type ProjectorError = { readonly error: { readonly code: string; readonly message: string } };

export const serveProjector = async (
  messenger: Messenger,
  faces: ProjectorFaces,
  { logger, database }: { readonly logger: Logger; readonly database: string | null },
): Promise<{ readonly close: () => Promise<void> }> => {
  const answer = async (command: ProjectorCommand): Promise<object> => {
    switch (command.command) {
      case 'status':
        return faces.status();
      case 'reconcile':
        return faces.reconcile(command);
    }
  };
  const serve = async (message: IncomingMessage): Promise<void> => {
    if (message.reply === undefined) return;
    const command = commandIn(message.body);
    const reply: object =
      'error' in command ? command : await answer(command).catch((error: unknown) => fault('failed', explainError(error)));
    messenger.publish(message.reply, encoder.encode(JSON.stringify(reply)));
  };
  const roles = ['projector', ...(database === null ? [] : [projectorOf(database)])];
  const subscriptions = roles.map((role) =>
    messenger.subscribe(subjects.actor(role), (message) => {
      serve(message).catch((error: unknown) => {
        logger.warn({ err: error }, 'a question to the projector was not answered');
      });
    }),
  );
  await Promise.all(subscriptions.map(({ ready }) => ready));
  return {
    close: async () => {
      await Promise.all(subscriptions.map(({ close }) => close()));
    },
  };
};

export const projectorOf = (database: string): string => `projector.${database}`;

const encoder = new TextEncoder();

const fault = (code: string, message: string): ProjectorError => ({ error: { code, message } });

const commandIn = (body: Uint8Array): ProjectorCommand | ProjectorError => {
  if (body.length === 0) return { command: 'status' };
  try {
    const parsed = projectorCommandSchema.safeParse(JSON.parse(new TextDecoder().decode(body)));
    return parsed.success ? parsed.data : fault('bad-command', z.prettifyError(parsed.error));
  } catch {
    return fault('bad-command', 'expected JSON such as {"command":"status"}');
  }
};
