import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { reconcile } from '../../src/projections/reconcile.ts';
import { appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';

const limits = { rows: 50, bytes: 1e6 };

describe('reconciliation', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  let bus: MemoryBus;
  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    bus = memoryBus();
    await appendRequests(bus.log, 1, 60);
    bus.inject('switchyard.event.default.x', new TextEncoder().encode('garbage'));
    await project(clickhouse, bus);
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });
  const tableNames = async () => (await clickhouse.rows('SHOW TABLES')).map((row) => row['name']);

  test('an honest table is equal, poison included, and nothing is left behind', async () => {
    const before = await tableNames();
    expect(await reconcile({ clickhouse, log: bus.log, limits })).toMatchObject({
      from: 1,
      to: 121,
      rowsOfLog: 241,
      rowsOfTable: 241,
      equal: true,
      examples: [],
    });
    expect(await tableNames()).toEqual(before);
  });

  test('a range compares that range alone', async () => {
    expect(await reconcile({ clickhouse, log: bus.log, limits, from: 10, to: 19 })).toMatchObject({
      from: 10,
      to: 19,
      rowsOfLog: 20,
      rowsOfTable: 20,
      equal: true,
    });
    expect(await reconcile({ clickhouse, log: bus.log, limits, from: 500, to: 600 })).toMatchObject({
      rowsOfLog: 0,
      rowsOfTable: 0,
      equal: true,
    });
  });

  test('finds what is missing, extra, different and there twice, and says where', async () => {
    await clickhouse.command('ALTER TABLE events DELETE WHERE sequence = 8 AND event_index = 1 SETTINGS mutations_sync = 1');
    await clickhouse.command(
      `ALTER TABLE events UPDATE reward_micro = reward_micro + 1 WHERE sequence = 20 AND event_index = 1 SETTINGS mutations_sync = 1`,
    );
    await clickhouse.command('INSERT INTO events SELECT * FROM events WHERE sequence = 30 SETTINGS async_insert = 0');
    await clickhouse.command(
      `INSERT INTO events (stream_epoch, sequence, event_index, id) SETTINGS async_insert = 0 VALUES (1, 40, 9, 'forged')`,
    );
    const found = await reconcile({ clickhouse, log: bus.log, limits });
    expect(found).toMatchObject({ missing: 1, extra: 1, different: 1, equal: false });
    expect(found.duplicated).toBeGreaterThan(0);
    const [missing, different, extra] = found.examples;
    expect(missing).toEqual({ kind: 'missing', sequence: 8, eventIndex: 1, columns: [] });
    expect(different).toMatchObject({ kind: 'different', sequence: 20, eventIndex: 1 });
    expect(different?.columns.map(({ column }) => column)).toEqual(['reward_micro']);
    expect(Number(different?.columns[0]?.table)).toBe(Number(different?.columns[0]?.log) + 1);
    expect(extra).toEqual({ kind: 'extra', sequence: 40, eventIndex: 9, columns: [] });
  });

  test('tables that a killed reconciliation left behind are dropped by the next one', async () => {
    await clickhouse.command('CREATE TABLE events_again_left AS events');
    await reconcile({ clickhouse, log: bus.log, limits, from: 1, to: 2 });
    expect(await tableNames()).not.toContain('events_again_left');
  });
});
