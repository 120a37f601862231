import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import type { Bus } from '../../src/bus/bus.ts';
import type { EventLog } from '../../src/bus/event-log.ts';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory/bus.ts';
import type { NonEmpty, SwitchyardEvent } from '../../src/events/index.ts';
import { openClickhouse, wholeNumber, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { applyMigrations, readMigrations } from '../../src/projections/migrations.ts';
import { runProjector, type Projector } from '../../src/projections/projector.ts';
import { requestMessages } from './projection-events.ts';
import { testSettings } from './settings.ts';
import { eventually } from './eventually.ts';

export const quiet = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** A folder for one test, and what removes it. */
export const testFolder = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'switchyard-projection-'));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

/** The engine over a folder, with all migrations applied. Close it before another folder is opened in this process. */
export const openShaped = async (folder: string): Promise<Clickhouse> => {
  const clickhouse = await openClickhouse({ kind: 'embedded', path: folder, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
  await applyMigrations(clickhouse, await readMigrations());
  return clickhouse;
};

export const memoryBus = (): MemoryBus => createMemoryBus({ config: testSettings().config });

let appended = 0;
export const append = async (log: EventLog, ...messages: readonly NonEmpty<SwitchyardEvent>[]): Promise<void> => {
  for (const message of messages) await log.append(message, { idempotencyId: `test:${++appended}` });
};

export const appendRequests = async (log: EventLog, from: number, to: number): Promise<void> => {
  for (let i = from; i <= to; i++) await append(log, ...requestMessages(i));
};

export const startTestProjector = (
  clickhouse: Clickhouse,
  bus: Bus,
  limits: { readonly rows?: number; readonly waitMs?: number } = {},
): Projector =>
  runProjector({
    // The test owns the connection and looks at the table through it afterwards.
    first: { ...clickhouse, close: async () => undefined },
    connect: () => Promise.reject(new Error('the test gave a connection')),
    bus,
    limits: { rows: limits.rows ?? 1_000, bytes: 8 * 1024 ** 2, waitMs: limits.waitMs ?? 10 },
    logger: quiet,
  });

/** Waits until the table holds the end of the log. */
export const caughtUp = async (projector: Projector, log: EventLog): Promise<void> => {
  const { last } = await log.bounds();
  await eventually(() => projector.status().checkpoint >= last && projector.status().lagMs === 0, {
    what: `the projection to reach ${last}`,
  });
};

export const count = async (clickhouse: Clickhouse, from: string): Promise<number> =>
  wholeNumber((await clickhouse.rows(`SELECT count() AS n FROM ${from}`))[0], 'n');

/** Runs with a projector until the table holds the end of the log, then ends it. */
export const project = async (clickhouse: Clickhouse, bus: Bus): Promise<void> => {
  const projector = startTestProjector(clickhouse, bus);
  await caughtUp(projector, bus.log).finally(projector.close);
};
