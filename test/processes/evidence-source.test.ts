import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../../src/bus/event-log.ts';
import { sequence } from '../../src/events/index.ts';
import { evidenceSourceOf } from '../../src/processes/evidence-source.ts';
import { settlePort } from '../../src/processes/free-port.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { snapshotFromLog } from '../../src/projections/state.ts';
import { appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { testSettings } from '../support/settings.ts';

/** A router that starts while the engine is not there yet. */
const bus = memoryBus();
const aged: EventLog = {
  ...bus.log,
  bounds: async () => ({ ...(await bus.log.bounds()), first: sequence(30) }),
  at: async (at) => (at < 30 ? null : bus.log.at(at)),
};
const logger = pino({ level: 'silent' });
let folder: Awaited<ReturnType<typeof testFolder>>;
let writer: Clickhouse;
const opened: SqlInterface[] = [];

beforeAll(async () => {
  folder = await testFolder();
  writer = await openShaped(folder.path);
  await appendRequests(bus.log, 1, 40);
  await project(writer, bus);
});
afterAll(async () => {
  for (const sql of opened) await sql.close();
  await writer.close();
  await folder.remove();
});

const freePort = (): Promise<number> => settlePort('127.0.0.1', 0);

const serve = async (port: number): Promise<void> => {
  const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
  const answer = await createSandbox({ path: folder.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
  opened.push(await startSqlInterface({ host: '127.0.0.1', port, bodyLimitBytes: 1e6, answer }));
};

describe('what ClickHouse holds of the log, for a router that starts', () => {
  it('is not waited for where the log itself holds all', async () => {
    const settings = testSettings({ clickhouse: { port: await freePort() } });
    expect(await evidenceSourceOf(settings, bus.log, logger)()).toBeNull();
  });

  it('is waited for where the beginning of the log has aged out', async () => {
    const port = await freePort();
    const found = evidenceSourceOf(testSettings({ clickhouse: { port } }), aged, logger)();
    // Longer than one attempt takes.
    expect(await Promise.race([found, sleep(1_000).then(() => 'waiting')])).toBe('waiting');
    await serve(port);
    expect(await found).toEqual(await snapshotFromLog(bus.log));
  });

  it('is not waited for without end', async () => {
    const settings = testSettings({ clickhouse: { port: await freePort() } });
    expect(await evidenceSourceOf(settings, aged, logger, { waitMs: 700 })()).toBeNull();
  });
});
