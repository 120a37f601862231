import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory/bus.ts';
import { sequence, type NonEmpty, type SwitchyardEvent } from '../../src/events/index.ts';
import { wholeNumber, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { snapshotFromClickhouse, snapshotFromLog } from '../../src/projections/state.ts';
import { insertStatement } from '../../src/projections/event-writer.ts';
import { encodeEntry } from '../../src/projections/encode-entry.ts';
import { reconcile } from '../../src/projections/reconcile.ts';
import { createManualClock } from '../support/manual-clock.ts';
import {
  append,
  appendRequests,
  caughtUp,
  count,
  memoryBus,
  openShaped,
  project,
  startTestProjector,
  testFolder,
} from '../support/projection.ts';
import { completed, decided, rewarded, testStartMs } from '../support/projection-events.ts';
import { testSettings } from '../support/settings.ts';
import { eventually } from '../support/eventually.ts';

describe('the projector', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  beforeEach(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
  });
  afterEach(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  const epochs = async () =>
    (await clickhouse.rows('SELECT epoch, first_sequence, reason FROM stream_epochs ORDER BY epoch')).map(
      (row) => `${wholeNumber(row, 'epoch')} ${String(row['reason'])} from ${wholeNumber(row, 'first_sequence')}`,
    );
  const isTheLog = async (bus: Bus) => {
    const found = await reconcile({ clickhouse, log: bus.log, limits: { rows: 1_000, bytes: 1e6 } });
    const { last } = await bus.log.bounds();
    expect(found).toMatchObject({ to: last, missing: 0, extra: 0, different: 0, duplicated: 0, examples: [], equal: true });
  };

  test('each event is there once: in batches, across restarts, and while the log grows', async () => {
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 150);
    const first = startTestProjector(clickhouse, bus, { rows: 64 });
    const writing = appendRequests(bus.log, 151, 300);
    await eventually(() => first.status().batchesWritten > 2, { what: 'some progress' });
    await first.close();
    await writing;
    await project(clickhouse, bus);
    await project(clickhouse, bus);
    expect(await count(clickhouse, 'events')).toBe(1_200);
    expect(await epochs()).toEqual(['1 first from 1']);
    await isTheLog(bus);
  });

  test('an insert of a killed predecessor that arrives late changes nothing, whichever comes first', async () => {
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 20);
    await project(clickhouse, bus);
    await appendRequests(bus.log, 21, 40);
    const late: string[] = [];
    for await (const entry of bus.log.read({ from: sequence(41) })) late.push(encodeEntry(entry, 1).lines);
    // The predecessor had sent 41..70 in one insert. It lands while the successor, which does not know, begins at 41 as well.
    let landed = false;
    const landing: Clickhouse = {
      ...clickhouse,
      insert: async (insert, lines) => {
        if (!landed) await clickhouse.insert(insertStatement('events', '1:41'), late.slice(0, 30).join(''));
        landed = true;
        await clickhouse.insert(insert, lines);
      },
    };
    const projector = startTestProjector(landing, bus, { rows: 10 });
    await caughtUp(projector, bus.log).finally(projector.close);
    await isTheLog(bus);
    await clickhouse.insert(insertStatement('events', '1:41'), late.join(''));
    await isTheLog(bus);
  });

  test('poison goes to the dead letters, has a row, and stops nothing', async () => {
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 2);
    bus.inject('switchyard.event.default.route.decided', new TextEncoder().encode('not json'));
    bus.inject('switchyard.event.default.reward.recorded', new TextEncoder().encode(JSON.stringify({ ...rewarded(9), data: { arm: 5 } })));
    // A reward that counts only if all that came with it is whole, and a decision without its facts.
    bus.inject(
      'switchyard.event.default.response.completed',
      new TextEncoder().encode(JSON.stringify([{ ...completed(9), data: {} }, rewarded(9)])),
    );
    bus.inject('switchyard.event.default.route.decided', new TextEncoder().encode(JSON.stringify({ ...decided(9), data: {} })));
    await appendRequests(bus.log, 3, 4);
    const projector = startTestProjector(clickhouse, bus);
    await caughtUp(projector, bus.log);
    expect(projector.status()).toMatchObject({ poisonMessages: 4, checkpoint: 12, state: 'following', fault: null });
    await projector.close();
    expect((await bus.dead.list({ limit: 10 })).map(({ id, originSequence }) => `${id} ${originSequence}`).sort()).toEqual([
      'poison:1:5 5',
      'poison:1:6 6',
      'poison:1:7 7',
      'poison:1:8 8',
    ]);
    expect(
      await clickhouse.rows(
        `SELECT sequence, JSONExtractString(data, 'reason') AS reason FROM events WHERE type = '_poison' ORDER BY sequence`,
      ),
    ).toEqual([
      { sequence: '5', reason: 'not-json' },
      { sequence: '6', reason: 'invalid-event' },
      { sequence: '7', reason: 'invalid-event' },
      { sequence: '8', reason: 'invalid-event' },
    ]);
    expect(await count(clickhouse, 'requests')).toBe(4);
    expect(wholeNumber((await clickhouse.rows('SELECT uniqExact(sequence) AS n FROM events'))[0], 'n')).toBe(12);
    expect((await snapshotFromClickhouse(clickhouse))?.snapshot).toEqual(await snapshotFromLog(bus.log));
    await isTheLog(bus);
  });

  test('a message whose rows the engine refuses becomes poison; its neighbours are written', async () => {
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 5);
    const refusing: Clickhouse = {
      ...clickhouse,
      // What a column that is too narrow for an event would do.
      insert: (insert, lines) =>
        clickhouse.insert(
          insert,
          lines.replaceAll(/^.*"request_id":"request-3".*$/gm, (line) => line.replace(/"schema_version":\d+/, '"schema_version":"one"')),
        ),
    };
    const projector = startTestProjector(refusing, bus);
    await caughtUp(projector, bus.log).finally(projector.close);
    expect(
      await clickhouse.rows(
        `SELECT sequence, JSONExtractString(data, 'reason') AS reason FROM events WHERE type = '_poison' ORDER BY sequence`,
      ),
    ).toEqual([
      { sequence: '5', reason: 'refused-by-clickhouse' },
      { sequence: '6', reason: 'refused-by-clickhouse' },
    ]);
    expect(await count(clickhouse, 'events')).toBe(18);
    expect((await bus.dead.list({ limit: 10 })).map(({ originSequence }) => originSequence).sort()).toEqual([5, 6]);
  });

  test('a log that was made anew opens an epoch; the rows of the old one stay as history', async () => {
    const old = memoryBus();
    await appendRequests(old.log, 1, 3);
    await project(clickhouse, old);
    const anew = createMemoryBus({ config: testSettings().config, clock: createManualClock(testStartMs) });
    await appendRequests(anew.log, 100, 101);
    await project(clickhouse, anew);
    expect(await epochs()).toEqual(['1 first from 1', '2 new-log from 1']);
    expect(await count(clickhouse, 'events')).toBe(20);
    expect(await count(clickhouse, 'events WHERE stream_epoch = 2')).toBe(8);
    await isTheLog(anew);
  });

  describe('when the log lost its tail', () => {
    /** Two logs of one identity that share their first messages: what the same server holds before and after a power cut. */
    const twoWorlds = async (shared: number, before: number, after: number): Promise<readonly [MemoryBus, MemoryBus]> => {
      const message = (i: number, world: string): NonEmpty<SwitchyardEvent> => [{ ...decided(i), id: `${world}-${i}` }];
      const make = async (world: string, more: number, shiftMs: number) => {
        const clock = createManualClock(testStartMs);
        const bus = createMemoryBus({ config: testSettings().config, clock });
        for (let i = 1; i <= shared + more; i++) {
          clock.advance(i === shared + 1 ? 10 + shiftMs : 10);
          await append(bus.log, message(i, i <= shared ? 'shared' : world));
        }
        return bus;
      };
      return [await make('lost', before, 0), await make('new', after, 5_000)];
    };

    test.each([
      { shared: 60, before: 40, after: 0 },
      { shared: 60, before: 40, after: 10 },
      { shared: 60, before: 40, after: 80 },
      { shared: 0, before: 5, after: 3 },
      { shared: 7, before: 1, after: 1 },
    ])('shared $shared, lost $before, new $after', async ({ shared, before, after }) => {
      const [lost, anew] = await twoWorlds(shared, before, after);
      await project(clickhouse, lost);
      const projector = startTestProjector(clickhouse, anew);
      await eventually(() => projector.status().epoch === 2, { what: 'a second epoch' });
      await caughtUp(projector, anew.log).finally(projector.close);
      expect(await epochs()).toEqual(['1 first from 1', `2 log-tail-lost from ${shared + 1}`]);
      expect(await count(clickhouse, 'events')).toBe(shared + after);
      expect(await count(clickhouse, `events_orphaned WHERE startsWith(id, 'lost-')`)).toBe(before);
      await isTheLog(anew);
      await project(clickhouse, anew);
      expect(await epochs()).toHaveLength(2);
    });

    test('a crash after the epoch was recorded, or between copying and deleting, is made good', async () => {
      const [lost, anew] = await twoWorlds(10, 5, 2);
      await project(clickhouse, lost);
      const createdAt = (await anew.log.bounds()).createdAt;
      await clickhouse.command(`INSERT INTO stream_epochs VALUES (2, '${createdAt}', 11, now64(3), 'log-tail-lost')`);
      await clickhouse.command('INSERT INTO events_orphaned SELECT * FROM events WHERE sequence > 12');
      await project(clickhouse, anew);
      expect(await epochs()).toHaveLength(2);
      expect(await count(clickhouse, 'events_orphaned')).toBe(5);
      await isTheLog(anew);
    });
  });

  test('rows that the table lost are read from the log again', async () => {
    const bus = memoryBus();
    await appendRequests(bus.log, 1, 50);
    await project(clickhouse, bus);
    await clickhouse.command('ALTER TABLE events DELETE WHERE sequence BETWEEN 40 AND 45 OR sequence = 90 SETTINGS mutations_sync = 1');
    await project(clickhouse, bus);
    expect(await epochs()).toEqual(['1 first from 1', '2 rows-lost from 40']);
    expect(await count(clickhouse, 'events')).toBe(200);
    await isTheLog(bus);
  });

  test('what aged out of the log before it was projected is a gap that is on record', async () => {
    const clock = createManualClock(testStartMs);
    const config = testSettings().config;
    const bus = createMemoryBus({ config: { ...config, log: { ...config.log, maxAgeDays: 1 } }, clock });
    await appendRequests(bus.log, 1, 5);
    await project(clickhouse, bus);
    clock.advance(3_600_000);
    await appendRequests(bus.log, 6, 10);
    clock.advance(24 * 3_600_000 + 1);
    await appendRequests(bus.log, 11, 12);
    const { first, last } = await bus.log.bounds();
    expect(first).toBeGreaterThan(11);
    await project(clickhouse, bus);
    expect(await epochs()).toEqual(['1 first from 1', `2 log-aged-out from ${first}`]);
    expect(wholeNumber((await clickhouse.rows('SELECT uniqExact(sequence) AS n FROM events'))[0], 'n')).toBe(10 + last - first + 1);
    await project(clickhouse, bus);
    expect(await epochs()).toHaveLength(2);
  });

  test('memory is bounded while ClickHouse is away: reading stops, nothing is lost, the lag shows', async () => {
    const bus = memoryBus();
    let away = true;
    let attempts = 0;
    const flaky: Clickhouse = {
      ...clickhouse,
      insert: (insert, lines) => {
        attempts += 1;
        return away ? Promise.reject(new Error('connect ECONNREFUSED')) : clickhouse.insert(insert, lines);
      },
    };
    let entriesRead = 0;
    const counting: Bus = {
      ...bus,
      log: {
        ...bus.log,
        follow: async function* (range) {
          for await (const entry of bus.log.follow(range)) {
            entriesRead += 1;
            yield entry;
          }
        },
      },
    };
    await appendRequests(bus.log, 1, 100);
    const projector = startTestProjector(flaky, counting, { rows: 40 });
    await eventually(() => attempts > 2, { what: 'the same batch to be tried again' });
    expect(entriesRead).toBeLessThan(60);
    expect(projector.status()).toMatchObject({ state: 'waiting-for-clickhouse', checkpoint: 0, fault: 'connect ECONNREFUSED' });
    expect(projector.status().lagMs).toBeGreaterThan(0);
    away = false;
    await caughtUp(projector, bus.log);
    expect(projector.status()).toMatchObject({ state: 'following', fault: null, lagMessages: 0 });
    await projector.close();
    await isTheLog(bus);
  });
});
