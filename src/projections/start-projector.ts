import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Settings } from '../config/settings.ts';
import { PermanentError } from '../errors.ts';
import { readAddress, writeAddress } from './addresses.ts';
import { openEmbedded } from './open-embedded.ts';
import { errorCode, explainError, openClickhouse, type Clickhouse, type ClickhouseAddress } from './clickhouse.ts';
import { applyDurability, applyMigrations, readMigrations } from './migrations.ts';
import { runProjector } from './projector.ts';
import { reconcile, type Reconciliation } from './reconcile.ts';
import { databaseId } from './database-id.ts';
import { serveProjector, type SequenceRange } from './serve-projector.ts';
import { startSqlInterface, type SqlInterface } from './sql/http-interface.ts';
import { createSandbox } from './sql/sandbox.ts';
import type { ProjectorStatus } from './status.ts';

/**
 * The projector as a process needs it: database in shape, projection under way, questions answered (status and reconciliation over the bus, SQL over HTTP when
 * the engine is embedded). With a server it starts although that is away, and goes on when it comes.
 */
export type RunningProjector = {
  readonly status: () => ProjectorStatus;
  readonly reconcile: (range: SequenceRange) => Promise<Reconciliation>;
  /** Address of the read-only SQL interface; null when a server answers SQL itself. */
  readonly sqlUrl: string | null;
  readonly close: () => Promise<void>;
};

/** READONLY among the numbers of ClickHouse's errors. */
const readOnly = 164;
const requestTimeoutMs = 60_000;
const queryBytes = 1024 ** 2;

export const startProjector = async (options: {
  readonly bus: Bus;
  readonly settings: Settings;
  readonly logger: Logger;
  /** Size of Node's thread pool (UV_THREADPOOL_SIZE), of which queries leave two free. */
  readonly threadPoolSize?: number;
}): Promise<RunningProjector> => {
  const { bus, settings, logger } = options;
  const { config } = settings;
  const address = writeAddress(settings);
  const limits = { rows: config.projector.batchRows, bytes: config.projector.batchBytes, waitMs: config.projector.batchWaitMs };
  const parts: { readonly close: () => Promise<void> }[] = [];
  const close = async () => {
    for (const part of parts.splice(0).reverse()) await part.close();
  };
  const keep = <T extends { readonly close: () => Promise<void> }>(part: T): T => {
    parts.push(part);
    return part;
  };
  try {
    const connect = () => openShaped(address, settings, logger);
    const first = await connect().catch((error: unknown) => {
      if (address.kind === 'embedded' || error instanceof PermanentError) throw error;
      if (errorCode(error) === readOnly)
        throw new PermanentError(
          'clickhouse-read-only',
          `expected a ClickHouse that can be written to at ${address.url}, got one that only reads: CLICKHOUSE_URL names a server, not the SQL interface of a projector`,
          { cause: error },
        );
      logger.warn({ err: explainError(error), url: address.url }, 'ClickHouse is away; projecting once it comes');
      return null;
    });
    const projector = keep(runProjector({ first, connect, bus, limits, logger }));
    const sql = address.kind === 'embedded' ? keep(await serveSql(address, settings, options.threadPoolSize ?? usualThreadPoolSize)) : null;
    const where = { sqlUrl: sql?.url ?? readAddress(settings).url, database: address.database };
    const faces = {
      status: (): ProjectorStatus => ({ ...projector.status(), ...where }),
      reconcile: oneAtATime(async (range: SequenceRange) => {
        // A connection of its own: comparing does not stand in the way of writing.
        const beside = await openEngine(address, logger);
        return reconcile({ clickhouse: beside, log: bus.log, limits, ...range }).finally(beside.close);
      }),
    };
    // Of a server that is away, or has many replicas, whoever is asked answers: all of them mean the same tables.
    const database = address.kind === 'embedded' && first !== null ? await databaseId(first) : null;
    keep(await serveProjector(bus.messenger, faces, { logger, database }));
    return { ...faces, sqlUrl: sql?.url ?? null, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const usualThreadPoolSize = 4;

const openEngine = (address: ClickhouseAddress, logger: Logger): Promise<Clickhouse> =>
  address.kind === 'embedded' ? openEmbedded(address, { requestTimeoutMs, logger }) : openClickhouse(address, { requestTimeoutMs });

const openShaped = async (address: ClickhouseAddress, settings: Settings, logger: Logger): Promise<Clickhouse> => {
  const clickhouse = await openEngine(address, logger);
  try {
    const applied = await applyMigrations(clickhouse, await readMigrations());
    if (applied.length > 0) logger.info({ applied }, 'migrations applied');
    await applyDurability(clickhouse, settings.config.log.durability);
    return clickhouse;
  } catch (error) {
    await clickhouse.close();
    throw error;
  }
};

const serveSql = async (
  address: Extract<ClickhouseAddress, { kind: 'embedded' }>,
  { config }: Settings,
  threadPoolSize: number,
): Promise<SqlInterface> => {
  const { host, port, concurrentQueries } = config.clickhouse;
  const answer = await createSandbox({ ...address, limits: config.clickhouse, concurrentQueries, threadPoolSize });
  return startSqlInterface({ host, port, bodyLimitBytes: queryBytes, answer });
};

/** Whoever asks while one is under way waits for it, and then has his own. */
const oneAtATime = <Input, Output>(action: (input: Input) => Promise<Output>): ((input: Input) => Promise<Output>) => {
  let before: Promise<unknown> = Promise.resolve();
  return (input) => {
    const mine = before.then(() => action(input));
    before = mine.catch(() => undefined);
    return mine;
  };
};
