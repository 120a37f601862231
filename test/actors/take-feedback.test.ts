import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import {
  feedbackReceived,
  idempotencyIds,
  makeEvent,
  requestIdSchema,
  type FeedbackKind,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import { snapshotFromLog } from '../../src/projections/state.ts';
import { eventually } from '../support/eventually.ts';
import { createTestBus, eventsOfType, request, startActors, tenant, type TestActors } from './support/actors.ts';
import { logMemory } from './support/log-memory.ts';
import { simulatedModel } from './support/models.ts';

const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});
const given = async (options: Parameters<typeof startActors>[0] = {}): Promise<TestActors> => {
  // Errors of the model leave no judgement of its own in the way of the test's; of more than four the arm would be left alone for a while.
  const actors = await startActors({ ...options, config: { ...simulatedModel({ errorRate: 1 }), ...options.config } });
  opened.push(actors);
  return actors;
};

let judgements = 0;
/** Feedback as a gateway records it; old enough for every router to take it up, unless told otherwise. */
const judge = async (
  bus: Bus,
  requestId: string,
  scoreMicro: number,
  options: { readonly source?: string; readonly ageMs?: number; readonly kind?: FeedbackKind; readonly feedbackId?: string } = {},
) => {
  const { source = 'switchyard/a-gateway', ageMs = 3_000, kind = 'score', feedbackId = `judgement-${++judgements}` } = options;
  const event = makeEvent(feedbackReceived, { tenant, requestId, source, timeMs: Date.now() - ageMs }, { feedbackId, kind, scoreMicro });
  // Under the event's own id: after the duplicate window the log takes a repeated one.
  await bus.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, requestIdSchema.parse(requestId), event.id) });
  return event;
};

const revisionsOf = async (bus: Bus, requestId: string) =>
  (await eventsOfType(bus, 'reward.recorded', requestId))
    .filter(({ data }) => data.revision > 0)
    .map(({ data, causationid }) => ({ ...data, causationid }));

const rejectionsOf = async (bus: Bus, requestId?: string) =>
  (await eventsOfType(bus, 'feedback.rejected', requestId)).map(({ data, causationid }) => ({ ...data, causationid }));

const letters = async (bus: Bus) => (await bus.dead.list({ limit: 1_000 })).filter(({ reason }) => reason.startsWith('feedback-'));

/** Several sweeps. */
const sweeps = () => new Promise((resolve) => setTimeout(resolve, 1_600));

describe('feedback', () => {
  it('that this process received becomes a revision without waiting for a sweep of old ones', async () => {
    const { ask, bus } = await given();
    await ask(request({ id: 'r' }));
    const event = await judge(bus, 'r', 700_000, { source: 'switchyard/host-a', ageMs: 0 });
    const [revision] = await eventually(async () => {
      const found = await revisionsOf(bus, 'r');
      return found.length > 0 && found;
    });
    expect(revision).toMatchObject({
      revision: 1,
      cause: 'feedback',
      causationid: event.id,
      feedbackId: event.data.feedbackId,
      judgedBy: 'score',
      parts: { success: 700_000 },
      evidence: { trials: 0, success: 700_000, streaming: 0, cache: 0, cost: 0 },
    });
  });

  it('that another process received is taken up later, once, however many routers there are, in the order of the log', async () => {
    const { ask, bus } = await given();
    await given({ bus, instance: 'host-b' });
    await given({ bus, instance: 'host-c' });
    await ask(request({ id: 'r' }));
    const scores = [900_000, 100_000, 400_000];
    for (const score of scores) await judge(bus, 'r', score);
    await eventually(async () => (await revisionsOf(bus, 'r')).length >= scores.length);
    await sweeps();
    const revisions = await revisionsOf(bus, 'r');
    expect(revisions.map(({ revision }) => revision)).toEqual([1, 2, 3]);
    expect(revisions.map(({ parts }) => parts.success)).toEqual(scores);
    expect(revisions.map(({ evidence }) => evidence.success)).toEqual([900_000, -800_000, 300_000]);
  });

  it('that comes before the reward waits for it', async () => {
    const { ask, bus } = await given();
    await judge(bus, 'r', 500_000);
    await sweeps();
    expect(await revisionsOf(bus, 'r')).toEqual([]);
    await ask(request({ id: 'r' }));
    await eventually(async () => (await revisionsOf(bus, 'r')).length === 1);
    expect(await letters(bus)).toEqual([]);
  });

  it('of a person that came before the answer is not overruled by the judge that comes with it', async () => {
    const { ask, bus } = await given({ config: simulatedModel() });
    await judge(bus, 'r', 0, { kind: 'thumb' });
    await ask(request({ id: 'r' }));
    await eventually(async () => (await revisionsOf(bus, 'r')).length === 2);
    const revisions = await revisionsOf(bus, 'r');
    expect(revisions.map(({ judgedBy }) => judgedBy)).toEqual(['thumb', 'thumb']);
    expect(revisions.map(({ parts }) => parts.success)).toEqual([0, 0]);
    expect(revisions[1]).toMatchObject({ feedbackId: '_measured', evidence: { trials: 0, success: 0 } });
  });

  it('for a request that nobody knows is rejected and a dead letter, once, after a while and not before', async () => {
    const { bus } = await given({ config: { feedback: { requestWaitSeconds: 60 } } });
    await given({ bus, instance: 'host-b', config: { feedback: { requestWaitSeconds: 60 } } });
    await judge(bus, 'young', 1, { ageMs: 30_000 });
    const old = await judge(bus, 'old', 1, { ageMs: 61_000 });
    await eventually(async () => (await rejectionsOf(bus)).length === 1);
    await sweeps();
    expect(await rejectionsOf(bus)).toEqual([{ feedbackId: old.data.feedbackId, reason: 'unknown-request', causationid: old.id }]);
    const [letter, ...more] = await letters(bus);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({ origin: 'SWITCHYARD_EVENTS', reason: 'feedback-unknown-request' });
    expect(letter?.detail).toContain('request id old;');
    expect((JSON.parse(new TextDecoder().decode(letter?.body)) as SwitchyardEvent).id).toBe(old.id);
    await eventually(async () => (await rejectionsOf(bus, 'young')).length === 1);
  });

  it('that was rejected for want of its request counts when it is sent again after the request', async () => {
    const { ask, bus } = await given({ config: { feedback: { requestWaitSeconds: 60 } } });
    await judge(bus, 'r', 300_000, { ageMs: 61_000, feedbackId: 'f' });
    await eventually(async () => (await rejectionsOf(bus)).length === 1);
    await ask(request({ id: 'r' }));
    await judge(bus, 'r', 300_000, { feedbackId: 'f' });
    await eventually(async () => (await revisionsOf(bus, 'r')).length === 1);
  });

  it('for a request that ended without a reward is rejected at once', async () => {
    const { ask, bus } = await given();
    await ask(request({ id: 'unrouted', content: 'long '.repeat(100_000) }));
    await judge(bus, 'unrouted', 1);
    const [letter] = await eventually(async () => {
      const found = await letters(bus);
      return found.length > 0 && found;
    });
    expect(letter).toMatchObject({
      reason: 'feedback-unrewarded',
      detail: 'request unrouted ended without a reward that feedback could revise',
    });
  });

  it('of an id that has counted is rejected, whatever it says, and needs no letter', async () => {
    const { ask, bus } = await given();
    await ask(request({ id: 'r' }));
    await judge(bus, 'r', 300_000, { feedbackId: 'f' });
    await judge(bus, 'r', 900_000, { feedbackId: 'f' });
    await eventually(async () => (await rejectionsOf(bus, 'r')).length === 1);
    expect(await rejectionsOf(bus, 'r')).toMatchObject([{ feedbackId: 'f', reason: 'repeated' }]);
    expect((await revisionsOf(bus, 'r')).map(({ parts }) => parts.success)).toEqual([300_000]);
    expect(await letters(bus)).toEqual([]);
  });

  it('beyond what one request can be revised becomes a dead letter', async () => {
    const { ask, bus } = await given();
    await ask(request({ id: 'r' }));
    for (let i = 0; i < 102; i++) await judge(bus, 'r', i, { source: 'switchyard/host-a', ageMs: 0 });
    await eventually(async () => (await rejectionsOf(bus, 'r')).length === 2);
    expect(await revisionsOf(bus, 'r')).toHaveLength(100);
    expect((await letters(bus)).map(({ reason }) => reason)).toEqual(['feedback-too-many', 'feedback-too-many']);
  });

  it('of which more waits than there is room for becomes a dead letter, the oldest first', async () => {
    const { bus } = await given({ config: { feedback: { waiting: 3 } } });
    for (let i = 0; i < 5; i++) await judge(bus, `r${i}`, i, { ageMs: 0 });
    await eventually(async () => (await letters(bus)).length === 2);
    await sweeps();
    expect((await eventsOfType(bus, 'feedback.rejected')).map(({ correlationid, data }) => [correlationid, data.reason])).toEqual([
      ['r0', 'crowded-out'],
      ['r1', 'crowded-out'],
    ]);
  });
});

describe('feedback for a request that the router has forgotten', () => {
  const small = { ledger: { requests: 2 } };
  const answered = async ({ ask }: TestActors, ids: readonly string[]) => {
    for (const id of ids) await ask(request({ id }));
  };

  it('is joined by what the memory tells, each once and in order', async () => {
    const actors = await given({ config: small });
    const { bus } = actors;
    await answered(actors, ['r', 'a', 'b', 'c']);
    const scores = [900_000, 100_000, 400_000];
    for (const score of scores) await judge(bus, 'r', score, { feedbackId: `f${score}` });
    await judge(bus, 'r', 5, { feedbackId: 'f100000' });
    await eventually(async () => (await rejectionsOf(bus, 'r')).length === 1);
    const revisions = await revisionsOf(bus, 'r');
    expect(revisions.map(({ revision, parts }) => [revision, parts.success])).toEqual(scores.map((score, i) => [i + 1, score]));
    expect(revisions.map(({ evidence }) => evidence.success)).toEqual([900_000, -800_000, 300_000]);
    expect(await rejectionsOf(bus)).toMatchObject([{ feedbackId: 'f100000', reason: 'repeated' }]);
  });

  it('waits while the memory is away or behind, and is joined when it has come', async () => {
    const bus = createTestBus(small);
    const memory = logMemory(bus.log, () => reach);
    let reach = 0;
    let isAway = true;
    const actors = await given({
      bus,
      config: small,
      memory: { ...memory, eventsOf: async (requests) => (isAway ? null : memory.eventsOf(requests)) },
    });
    await answered(actors, ['r', 'a', 'b', 'c']);
    await judge(bus, 'r', 100_000);
    await sweeps();
    isAway = false;
    // It has heard of the request, and not of the feedback.
    reach = (await bus.log.bounds()).last - 1;
    await sweeps();
    await sweeps();
    expect(await revisionsOf(bus, 'r')).toEqual([]);
    reach = Infinity;
    await eventually(async () => (await revisionsOf(bus, 'r')).length === 1);
    expect(await letters(bus)).toEqual([]);
  });

  it('is a dead letter when the memory stays away for too long, or when it comes too late', async () => {
    const bus = createTestBus(small);
    const away = await given({
      bus,
      config: { ...small, feedback: { memoryWaitSeconds: 10 } },
      memory: { ...logMemory(bus.log), eventsOf: async () => null },
    });
    await answered(away, ['r', 'a', 'b', 'c']);
    await judge(bus, 'r', 1, { ageMs: 11_000 });
    await eventually(async () => (await letters(bus)).length === 1);
    await judge(bus, 'c', 1, { ageMs: -100 * 86_400_000, source: 'switchyard/host-a' });
    await eventually(async () => (await letters(bus)).length === 2);
    expect((await letters(bus)).map(({ reason }) => reason).sort()).toEqual(['feedback-memory-away', 'feedback-too-late']);
  });
});

describe('feedback that waits', () => {
  it.each([
    ['the memory tells of it', true],
    ['the log is read for it', false],
  ])('is found again by a router that starts, from before the part of the log that it reads: %s', async (_what, isTold) => {
    const small = { ledger: { rebuildEntries: 3 } };
    const bus = createTestBus(small);
    const first = await given({ bus, config: small });
    await judge(bus, 'r', 200_000);
    for (const id of ['a', 'b', 'c']) await first.ask(request({ id }));
    await judge(bus, 'a', 900_000);
    await eventually(async () => (await revisionsOf(bus, 'a')).length === 1);
    await first.ask(request({ id: 'd' }));
    await first.close();
    const memory = logMemory(bus.log);
    const second = await given({
      bus,
      config: small,
      instance: 'host-b',
      memory: { ...memory, unsettledFeedback: async (stretch) => (isTold ? memory.unsettledFeedback(stretch) : null) },
      evidenceSource: () => snapshotFromLog(bus.log),
    });
    await second.ask(request({ id: 'r' }));
    await eventually(async () => (await revisionsOf(bus, 'r')).length === 1);
    expect(await revisionsOf(bus, 'a')).toHaveLength(1);
  });
});
