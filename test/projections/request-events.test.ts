import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../src/bus/memory/bus.ts';
import type { Feedback } from '../../src/domain/routing/pending-feedback.ts';
import { judgeRemembered } from '../../src/domain/routing/remembered.ts';
import { feedbackRejected, makeEvent, rewardRecorded, sequence, type SwitchyardEvent } from '../../src/events/index.ts';
import { readClickhouse, type Clickhouse } from '../../src/projections/clickhouse.ts';
import { requestEvents, unsettledFeedback } from '../../src/projections/request-events.ts';
import { startSqlInterface, type SqlInterface } from '../../src/projections/sql/http-interface.ts';
import { createSandbox } from '../../src/projections/sql/sandbox.ts';
import { logMemory } from '../actors/support/log-memory.ts';
import { tenant as otherTenant } from '../domain/support/events.ts';
import { append, appendRequests, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { hit, judged, testStartMs, testTenant } from '../support/projection-events.ts';
import { storedEvent } from '../support/stored-events.ts';

const weights = { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 };
const terms = { weights, requestWaitMs: 900_000, maxAgeMs: 86_400_000 };

describe('what ClickHouse remembers of requests', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let writer: Clickhouse;
  let sql: SqlInterface;
  let reader: Clickhouse;
  let bus: MemoryBus;

  const request = (n: number, tenant = testTenant) => ({ tenant, requestId: `request-${n}` });
  const plain = (events: readonly (readonly { readonly sequence: number; readonly event: SwitchyardEvent }[])[] | null) =>
    events?.map((list) => list.filter(({ event }) => event.type !== 'cache.stored'));

  beforeAll(async () => {
    folder = await testFolder();
    writer = await openShaped(folder.path);
    const limits = { queryTimeoutMs: 30_000, queryMemoryBytes: 1e9, resultBytes: 1e7 };
    const answer = await createSandbox({ path: folder.path, database: 'switchyard', limits, concurrentQueries: 2, threadPoolSize: 4 });
    sql = await startSqlInterface({ host: '127.0.0.1', port: 0, bodyLimitBytes: 1e6, answer });
    reader = readClickhouse({ kind: 'server', url: sql.url, database: 'switchyard' }, { requestTimeoutMs: 30_000 });
    // A log of earlier days, whose rows are history.
    const earlier = memoryBus();
    await appendRequests(earlier.log, 1, 30);
    await append(earlier.log, [judged(1)]);
    await project(writer, earlier);
    await new Promise((resolve) => setTimeout(resolve, 5));
    bus = memoryBus();
    await appendRequests(bus.log, 1, 20);
    await append(bus.log, [hit(21, 3)]);
    bus.inject('switchyard.event.default.feedback.received', new TextEncoder().encode('{}'));
    await project(writer, bus);
  });
  afterAll(async () => {
    await reader.close();
    await sql.close();
    await writer.close();
    await folder.remove();
  });

  /** The log goes on with the feedback and what follows from it. */
  const judge = async (event: Feedback): Promise<void> => {
    await append(bus.log, [event]);
    await project(writer, bus);
    const [mine] = await requestEvents(reader, [{ tenant: event.tenant, requestId: event.correlationid }]);
    const verdict = judgeRemembered(mine ?? [], event, terms);
    const context = {
      tenant: event.tenant,
      requestId: event.correlationid,
      source: 'switchyard/test',
      timeMs: testStartMs,
      causationId: event.id,
    };
    if (verdict.kind === 'revise') await append(bus.log, [makeEvent(rewardRecorded, context, verdict.data)]);
    else if (verdict.kind === 'reject')
      await append(bus.log, [makeEvent(feedbackRejected, context, { feedbackId: event.data.feedbackId, reason: verdict.reason })]);
    await project(writer, bus);
  };

  test('is what the log says of them, each event as it was recorded, over the read-only interface', async () => {
    const asked = [request(7), request(21), request(999), request(7, otherTenant)];
    const told = await requestEvents(reader, asked);
    expect(plain(told)).toEqual(plain(await logMemory(bus.log).eventsOf(asked)));
    expect(told.map((list) => list.map(({ event }) => event.type))).toEqual([
      ['route.decided', 'response.completed', 'reward.recorded'],
      ['cache.hit'],
      [],
      [],
    ]);
  });

  test('makes late feedback a revision, and the next one builds on it', async () => {
    await judge(judged(5, { feedbackId: 'f-1', kind: 'score', scoreMicro: 100_000 }));
    await judge(judged(5, { feedbackId: 'f-2', kind: 'thumb', scoreMicro: 1_000_000 }));
    await judge(judged(5, { feedbackId: 'f-1', kind: 'score', scoreMicro: 900_000 }));
    const [told] = await requestEvents(reader, [request(5)]);
    const rewards = (told ?? []).flatMap(({ event }) => (event.type === 'reward.recorded' ? [event.data] : []));
    expect(rewards.slice(1)).toMatchObject([
      { revision: 1, feedbackId: 'f-1', judgedBy: 'score', parts: { success: 100_000 } },
      { revision: 2, feedbackId: 'f-2', judgedBy: 'score', parts: { success: 100_000 }, evidence: { success: 0 } },
    ]);
    expect(told?.at(-1)?.event).toMatchObject({ type: 'feedback.rejected', data: { reason: 'repeated' } });
  });

  test('holds nothing of feedback that it has not read yet', async () => {
    const event = judged(6);
    expect(judgeRemembered((await requestEvents(reader, [request(6)]))[0] ?? [], event, terms)).toEqual({ kind: 'behind' });
  });

  test('raises events of an older version', async () => {
    const stored = storedEvent('reward.recorded', 1) as SwitchyardEvent;
    await append(bus.log, [stored]);
    await project(writer, bus);
    const [told] = await requestEvents(reader, [{ tenant: stored.tenant, requestId: stored.correlationid }]);
    const entry = await bus.log.at((await bus.log.bounds()).last);
    const raised = entry?.kind === 'events' ? entry.events[0] : undefined;
    expect(told?.map(({ event }) => event)).toMatchObject([{ schemaversion: raised?.schemaversion, data: raised?.data }]);
  });

  test('tells which feedback of a stretch has no consequence, and nothing of what it does not hold', async () => {
    await append(bus.log, [judged(8, { feedbackId: 'waits' })]);
    await project(writer, bus);
    const { last, createdAt } = await bus.log.bounds();
    const stretch = { from: sequence(1), to: last, limit: 100 };
    const told = await unsettledFeedback(reader, { ...stretch, createdAt });
    expect(told?.map(({ event }) => event.data.feedbackId)).toEqual(['waits']);
    expect(told).toEqual(await logMemory(bus.log).unsettledFeedback(stretch));
    expect(await unsettledFeedback(reader, { ...stretch, from: last, createdAt })).toHaveLength(1);
    expect(await unsettledFeedback(reader, { ...stretch, to: sequence(last - 1), createdAt })).toEqual([]);
    expect(await unsettledFeedback(reader, { ...stretch, limit: 0, createdAt })).toEqual([]);
    expect(await unsettledFeedback(reader, { ...stretch, to: sequence(last + 1), createdAt })).toBeNull();
    expect(await unsettledFeedback(reader, { ...stretch, createdAt: 'another log' })).toBeNull();
  });
});
