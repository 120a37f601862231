import { z } from 'zod';
import type { Messenger } from '../bus/messenger.ts';
import { subjects } from '../events/index.ts';
import { isTimeout, readClickhouse } from '../projections/clickhouse.ts';
import { databaseId } from '../projections/database-id.ts';
import { projectorOf, type ProjectorCommand } from '../projections/serve-projector.ts';
import { unreachable } from './exit-codes.ts';
import type { Located } from './locate.ts';

/**
 * Which projector is meant, where several yards with engines of their own share a NATS: the one whose database is found at the address that other commands read. Null: any, as there is a server that all of them write to, or nobody
 * is at that address. Who is there and only slow is waited for, and then an error: another projector's answer would be about another database.
 */
export type WhichProjector = { readonly database: string | null; readonly sqlUrl: string };

export const findProjector = async (located: Located, { timeoutMs }: { readonly timeoutMs: number }): Promise<WhichProjector> => {
  const { settings, sql } = located;
  if (settings.config.clickhouse.url !== undefined) return { database: null, sqlUrl: sql.url };
  const address = { kind: 'server', url: sql.url, database: settings.config.clickhouse.database } as const;
  const clickhouse = readClickhouse(address, { requestTimeoutMs: timeoutMs });
  try {
    return { database: await databaseId(clickhouse), sqlUrl: sql.url };
  } catch (error) {
    if (isTimeout(error))
      throw unreachable(
        `expected the database at ${sql.url} to say which one it is within ${timeoutMs / 1_000} s, got nothing; it may be busy, try again`,
      );
    return { database: null, sqlUrl: sql.url };
  } finally {
    await clickhouse.close();
  }
};

/** A question to the projector, which alone has the engine open. */
export const askProjector = async <T>(
  messenger: Messenger,
  command: ProjectorCommand,
  schema: z.ZodType<T>,
  { which: { database, sqlUrl }, timeoutMs }: { readonly which: WhichProjector; readonly timeoutMs: number },
): Promise<T> => {
  const subject = subjects.actor(database === null ? 'projector' : projectorOf(database));
  const asked = await messenger.ask(subject, new TextEncoder().encode(JSON.stringify(command)), { timeoutMs });
  if (asked.kind === 'no-responder')
    throw unreachable(
      database === null
        ? 'no projector answers: see ./switchyard status'
        : `no projector answers for the database at ${sqlUrl}: it is that of another NATS, or of a projector that has ended`,
    );
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
  sqlUrl: z.string(),
  fault: z.string().nullable(),
});
export type SeenProjector = z.infer<typeof projectorStatusSchema>;

/** Whether the one that answered is surely the one whose database other commands read. */
export const isMeant = ({ database }: WhichProjector, { sqlUrl }: SeenProjector, { settings, sql }: Located): boolean =>
  database !== null || settings.config.clickhouse.url !== undefined || sqlUrl === sql.url;
