import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import type { Evidence } from '../../src/domain/routing/evidence.ts';
import { readClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { evidenceFromClickhouse, evidenceFromLog, foldTail, trustedEvidence } from '../../src/projections/evidence.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { append, appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { rewarded } from '../support/projection-events.ts';

const asObject = (evidence: Evidence | undefined) => Object.fromEntries(evidence ?? []);

describe('evidence from ClickHouse and from the log', () => {
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
    expect(await evidenceFromClickhouse(reader)).toBeNull();

    // A log of earlier days, whose rows are history.
    const earlier = memoryBus();
    await appendRequests(earlier.log, 1, 7);
    await project(writer, earlier);
    await new Promise((resolve) => setTimeout(resolve, 5));
    bus = memoryBus();
    await appendRequests(bus.log, 1, 120);
    await append(bus.log, [
      rewarded(3, { revision: 1, cause: 'feedback', evidence: { trials: 0, success: -400_000, streaming: 0, cache: 0, cost: 0 } }),
    ]);
    bus.inject('switchyard.event.default.reward.recorded', new TextEncoder().encode('{}'));
    await project(writer, bus);
  });
  afterAll(async () => {
    await reader.close();
    await sql.close();
    await writer.close();
    await folder.remove();
  });

  test('both are equal to the last digit, over the read-only interface, and name the same sequence', async () => {
    const fromLog = await evidenceFromLog(bus.log);
    const projected = await evidenceFromClickhouse(reader);
    expect(projected?.sequence).toBe(242);
    expect(fromLog.sequence).toBe(242);
    expect(asObject(projected?.evidence)).toEqual(asObject(fromLog.evidence));
    expect(projected?.evidence.get('arm-d')?.trials).toBe(30);
    expect(await trustedEvidence(reader, bus.log)).toEqual({ sequence: 242, evidence: projected?.evidence });
  });

  test('at any sequence they are equal too, and the tail makes them whole', async () => {
    const whole = await evidenceFromLog(bus.log);
    for (const at of [0, 1, 2, 77, 78, 240, 241, 242]) {
      const projected = await evidenceFromClickhouse(reader, { atSequence: at });
      const fromLog = await evidenceFromLog(bus.log, { to: at });
      expect(projected?.sequence).toBe(at);
      expect(asObject(projected?.evidence)).toEqual(asObject(fromLog.evidence));
      const caughtUp = await foldTail(bus.log, projected ?? { sequence: 0, evidence: new Map() });
      expect(asObject(caughtUp.evidence)).toEqual(asObject(whole.evidence));
    }
  });

  test('at a time: what the log had taken by then', async () => {
    const entry = await bus.log.at(100 as never);
    const projected = await evidenceFromClickhouse(reader, { atTimeMs: entry?.storedAtMs });
    expect(projected?.at?.storedAtMs).toBe(entry?.storedAtMs);
    expect(asObject(projected?.evidence)).toEqual(asObject((await evidenceFromLog(bus.log, { to: projected?.sequence })).evidence));
    expect((await evidenceFromClickhouse(reader, { atTimeMs: 0 }))?.evidence.size).toBe(0);
  });

  test('rows of an earlier log count when asked for, and not otherwise', async () => {
    const current = await evidenceFromClickhouse(reader);
    const all = await evidenceFromClickhouse(reader, { logs: 'all' });
    const trials = (evidence: Evidence | undefined) => [...(evidence?.values() ?? [])].reduce((sum, arm) => sum + arm.trials, 0);
    expect(trials(current?.evidence)).toBe(120);
    expect(trials(all?.evidence)).toBe(127);
  });

  test('evidence of another log, or of messages that this log lost, is not trusted', async () => {
    const other = memoryBus();
    await appendRequests(other.log, 1, 200);
    expect(await trustedEvidence(reader, other.log)).toBeNull();
    const { createdAt } = await bus.log.bounds();
    const pretender = { ...other.log, bounds: async () => ({ ...(await other.log.bounds()), createdAt }) };
    expect(await trustedEvidence(reader, pretender)).toBeNull();
    const shorter = { ...bus.log, bounds: async () => ({ ...(await bus.log.bounds()), last: 10 as never }) };
    expect(await trustedEvidence(reader, shorter)).toBeNull();
  });
});
