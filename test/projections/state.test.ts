import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventLog } from '../../src/bus/event-log.ts';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { emptySnapshot, type StateSnapshot } from '../../src/domain/routing/snapshot.ts';
import { blockStart, tickMs } from '../../src/domain/routing/time-blocks.ts';
import { sequence } from '../../src/events/index.ts';
import type { Json } from '../../src/json.ts';
import { explainError, readClickhouse, withoutStatement, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { blockStartOf } from '../../src/projections/state-sums.ts';
import { foldTail, snapshotFromClickhouse, snapshotFromLog, trustedSnapshot } from '../../src/projections/state.ts';
import { append, appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { rewarded } from '../support/projection-events.ts';
import { activated, historyOf } from '../support/state-events.ts';

const textOf = (snapshot: StateSnapshot | undefined): string => canonicalJson(JSON.parse(JSON.stringify(snapshot ?? null)) as Json);

/** Two logs are told apart by the millisecond they were made in. */
const laterLog = async (): Promise<MemoryBus> => {
  const now = Date.now();
  while (Date.now() <= now + 1) await new Promise((resolve) => setImmediate(resolve));
  return memoryBus();
};

describe('the state from ClickHouse and from the log', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let writer: Clickhouse;
  let sql: SqlInterface;
  let reader: Clickhouse;
  let bus: MemoryBus;

  beforeAll(async () => {
    folder = await testFolder();
    writer = await openShaped(folder.path);
    const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
    const answer = await createSandbox({ path: folder.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
    sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
    reader = readClickhouse({ kind: 'server', url: sql.url, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
    expect(await snapshotFromClickhouse(reader)).toBeNull();

    // A log of earlier days, whose rows are history.
    const earlier = memoryBus();
    await appendRequests(earlier.log, 1, 7);
    await project(writer, earlier);
    bus = await laterLog();
    await appendRequests(bus.log, 1, 120);
    const none = rewarded(3).data.evidence;
    await append(bus.log, [
      rewarded(3, { revision: 1, cause: 'feedback', evidence: { ...none, trials: 0, measured: 0, success: -400_000, latencyMs: 0 } }),
    ]);
    // What the router cannot read has no effect; the projector must not count it either.
    bus.inject('switchyard.event.default.reward.recorded', new TextEncoder().encode('{}'));
    for (const spoilt of [spoiltText(rewarded(5), 'cells'), spoiltText(await firstDecision(bus.log), 'draw')])
      bus.inject('switchyard.event.default.spoilt', new TextEncoder().encode(spoilt));
    await project(writer, bus);
  });
  afterAll(async () => {
    await reader.close();
    await sql.close();
    await writer.close();
    await folder.remove();
  });

  const firstDecision = async (log: EventLog) => {
    const entry = await log.at(sequence(1));
    if (entry?.kind !== 'events') throw new Error('expected a decision');
    return entry.events[0];
  };
  const spoiltText = (event: { readonly data: object }, field: string) =>
    JSON.stringify({ ...event, data: { ...event.data, [field]: 'spoilt' } });
  const last = 244;
  const trialsOf = (snapshot: StateSnapshot | undefined) =>
    (snapshot?.blocks ?? []).filter(({ cell }) => cell === 'all').reduce((sum, { sums }) => sum + (sums[0] ?? 0), 0);

  test('both are equal to the last byte, over the read-only interface, and name the same sequence', async () => {
    const fromLog = await snapshotFromLog(bus.log);
    const projected = await snapshotFromClickhouse(reader);
    expect(fromLog.sequence).toBe(last);
    expect(textOf(projected?.snapshot)).toBe(textOf(fromLog));
    expect(projected?.snapshot.chosen.find(({ arm }) => arm === 'arm-d')).toEqual({ arm: 'arm-d', decided: 30, ended: 30 });
    expect(projected?.snapshot.totals).toEqual([{ tenant: 'default', requests: 120, costNanoUsd: 0, latencyMs: 0 }]);
    expect(trialsOf(fromLog)).toBe(120);
    expect(await trustedSnapshot(reader, bus.log)).toEqual(fromLog);
  });

  test('at any sequence they are equal too, and the tail makes them whole', async () => {
    const whole = await snapshotFromLog(bus.log);
    for (const at of [0, 1, 2, 77, 78, 240, 241, last]) {
      const projected = await snapshotFromClickhouse(reader, { atSequence: at });
      expect(projected?.snapshot.sequence).toBe(at);
      expect(textOf(projected?.snapshot)).toBe(textOf(await snapshotFromLog(bus.log, { to: at })));
      expect(textOf(await foldTail(bus.log, projected?.snapshot ?? emptySnapshot))).toBe(textOf(whole));
    }
  });

  test('at a time: what the log had taken by then', async () => {
    const entry = await bus.log.at(sequence(100));
    const projected = await snapshotFromClickhouse(reader, { atTimeMs: entry?.storedAtMs });
    expect(projected?.at?.storedAtMs).toBe(entry?.storedAtMs);
    expect(textOf(projected?.snapshot)).toBe(textOf(await snapshotFromLog(bus.log, { to: projected?.snapshot.sequence })));
    expect((await snapshotFromClickhouse(reader, { atTimeMs: 0 }))?.snapshot).toEqual(emptySnapshot);
  });

  test('rows of an earlier log count when asked for, and not otherwise', async () => {
    expect(trialsOf((await snapshotFromClickhouse(reader))?.snapshot)).toBe(120);
    expect(trialsOf((await snapshotFromClickhouse(reader, { logs: 'all' }))?.snapshot)).toBe(127);
  });

  test('the state of another log, or of messages that this log lost, is not trusted', async () => {
    const other = memoryBus();
    await appendRequests(other.log, 1, 200);
    expect(await trustedSnapshot(reader, other.log)).toBeNull();
    const { createdAt } = await bus.log.bounds();
    const pretender = { ...other.log, bounds: async () => ({ ...(await other.log.bounds()), createdAt }) };
    expect(await trustedSnapshot(reader, pretender)).toBeNull();
    const shorter = { ...bus.log, bounds: async () => ({ ...(await bus.log.bounds()), last: sequence(10) }) };
    expect(await trustedSnapshot(reader, shorter)).toBeNull();
  });

  test('a message that is missing in the log has a sequence and no effect, and is told of', async () => {
    const withHoles: EventLog = {
      ...bus.log,
      async *read(range) {
        for await (const entry of bus.log.read(range)) if (![4, 5, 8].includes(entry.sequence)) yield entry;
      },
    };
    const holes: unknown[] = [];
    const folded = await snapshotFromLog(withHoles, { onMissing: (hole) => holes.push(hole) });
    expect(holes).toEqual([
      { expected: 4, seen: 6 },
      { expected: 8, seen: 9 },
    ]);
    expect(folded.sequence).toBe(last);
    // 4 and 8 were outcomes, 5 a decision.
    expect(trialsOf(folded)).toBe(118);
  });

  test('a moment falls into the same block there as here', async () => {
    const latestTick = Math.floor(Date.UTC(2026, 5) / tickMs);
    const ticks = fc.sample(
      fc.oneof(
        fc.nat(latestTick),
        fc.nat(400).map((age) => latestTick - age),
      ),
      { seed: 11, numRuns: 500 },
    );
    const moments = ticks.map((tick) => tick * tickMs + (tick % tickMs));
    const rows = await reader.rows(
      `SELECT ${blockStartOf('fromUnixTimestamp64Milli(ms)', latestTick)} AS start FROM (SELECT arrayJoin([${moments.join(', ')}]::Array(Int64)) AS ms)`,
    );
    expect(rows.map(({ start }) => Number(start))).toEqual(ticks.map((tick) => blockStart(tick, latestTick)));
  });

  test('a reward that says it was decided in the year 9999 is filed under the moment at which the log stored it', async () => {
    const past = await laterLog();
    const far = '9999-12-31T23:59:59.999Z';
    await append(past.log, [rewarded(1, { decidedAt: far })], [{ ...rewarded(2, { decidedAt: null }), time: far }], [rewarded(3)]);
    await project(writer, past);
    const projected = await snapshotFromClickhouse(reader);
    expect(textOf(projected?.snapshot)).toBe(textOf(await snapshotFromLog(past.log)));
    expect(projected?.snapshot.latestTick).toBeLessThanOrEqual(Math.floor(Date.now() / tickMs));
    expect(trialsOf(projected?.snapshot)).toBe(3);
  });

  test('blocks of any time are found, and a statement that fails is not shown to people', async () => {
    const latestTick = Math.floor(Date.UTC(9999, 11, 31) / tickMs);
    const [row] = await reader.rows(`SELECT ${blockStartOf("toDateTime64('2026-01-01', 3, 'UTC')", latestTick)} AS start`);
    expect(Number(row?.['start'])).toBe(blockStart(Math.floor(Date.UTC(2026, 0, 1) / tickMs), latestTick));
    const failing = reader.rows('SELECT roundDown(toInt64(sequence), [0, 1, 15837690624]) FROM events');
    const wall = await failing.then(() => 'no error', explainError);
    expect(wall).toContain('SELECT');
    expect(withoutStatement(wall)).toMatch(/^There is no supertype for types UInt64, Int64(?!.*SELECT).{0,130} \.\.\.$/);
  });

  test('the policy of the configuration is known beside one that was put in force by hand', async () => {
    const past = await laterLog();
    await append(past.log, [activated(1, 'configuration')], [activated(2, 'configuration')], [activated(3, 'command')]);
    await project(writer, past);
    const projected = await snapshotFromClickhouse(reader);
    expect(projected?.snapshot).toEqual(await snapshotFromLog(past.log));
    expect(projected?.snapshot.policy?.change).toBe(3);
    expect(projected?.snapshot.configured).toEqual({ version: 'version-2', change: 2 });
  });

  test('random pasts: policies, canaries, trials, paces and rewards of years, at every cut', async () => {
    for (const history of fc.sample(historyOf(60), { seed: 20_260, numRuns: 4 })) {
      const past = await laterLog();
      await append(past.log, ...history);
      await project(writer, past);
      for (const at of [0, 0.2, 0.5, 0.8, 1].map((share) => Math.floor(share * history.length))) {
        const projected = await snapshotFromClickhouse(reader, { atSequence: at });
        expect(textOf(projected?.snapshot)).toBe(textOf(await snapshotFromLog(past.log, { to: at })));
      }
    }
  });
});
