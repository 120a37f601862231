import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import {
  feedbackReceived,
  idempotencyIds,
  makeEvent,
  requestIdSchema,
  type EventOf,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import { decided } from '../domain/support/events.ts';
import { eventually } from '../support/eventually.ts';
import { createTestBus, eventsOfType, request, restOf, startActors, tenant, type TestActors } from './support/actors.ts';
import { away, withLog } from './support/faults.ts';
import { simulatedModel } from './support/models.ts';

const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});
const given = async (options: Parameters<typeof startActors>[0] = {}): Promise<TestActors> => {
  // Errors of the model leave no judgement of its own in the way of the test's.
  const actors = await startActors({ config: simulatedModel({ errorRate: 1 }), ...options });
  opened.push(actors);
  return actors;
};

let judgements = 0;
/** Feedback as a gateway records it; old enough for every router to take it up, unless told otherwise. */
const judge = async (
  bus: Bus,
  requestId: string,
  scoreMicro: number,
  options: { readonly source?: string; readonly ageMs?: number } = {},
) => {
  const { source = 'switchyard/a-gateway', ageMs = 3_000 } = options;
  const feedbackId = `judgement-${++judgements}`;
  const event = makeEvent(
    feedbackReceived,
    { tenant, requestId, source, timeMs: Date.now() - ageMs },
    { feedbackId, kind: 'score', scoreMicro },
  );
  await bus.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, requestIdSchema.parse(requestId), feedbackId) });
  return event;
};

const revisionsOf = async (bus: Bus, requestId: string) =>
  (await eventsOfType(bus, 'reward.recorded', requestId))
    .filter(({ data }) => data.revision > 0)
    .map(({ data, causationid }) => ({ ...data, causationid }));

const strays = async (bus: Bus) => (await bus.dead.list({ limit: 100 })).filter(({ reason }) => reason === 'feedback-unmatched');

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
    }, 1_500);
    expect(revision).toMatchObject({
      revision: 1,
      cause: 'feedback',
      causationid: event.id,
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
    expect(await strays(bus)).toEqual([]);
  });

  it('for a request that nobody knows becomes one dead letter, after a while and not before', async () => {
    const { bus } = await given();
    await judge(bus, 'young', 1, { ageMs: 30_000 });
    const old = await judge(bus, 'old', 1, { ageMs: 61_000 });
    await eventually(async () => (await strays(bus)).length === 1);
    await sweeps();
    const [letter, ...more] = await strays(bus);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      origin: 'SWITCHYARD_EVENTS',
      detail: 'expected feedback for a request of this yard, got request id old',
    });
    expect((JSON.parse(new TextDecoder().decode(letter?.body)) as SwitchyardEvent).id).toBe(old.id);
  });

  it('for a request that ended without a reward becomes a dead letter at once', async () => {
    const { ask, bus } = await given();
    await ask(request({ id: 'unrouted', parameters: { max_tokens: 10_000_000 } }));
    await judge(bus, 'unrouted', 1);
    const [letter] = await eventually(async () => {
      const found = await strays(bus);
      return found.length > 0 && found;
    });
    expect(letter?.detail).toBe('request unrouted ended without a reward that feedback could revise');
  });
});

/** A decision of a process that is no more, three seconds old. */
const orphan = async (bus: Bus, id: string, data: Partial<EventOf<'route.decided'>['data']> = {}) => {
  const made = decided(id, {
    arm: 'arm-a',
    model: 'model-a',
    host: 'host-gone',
    deadline: new Date(Date.now() + 60_000).toISOString(),
    ...data,
  });
  const event: EventOf<'route.decided'> = { ...made, tenant, time: new Date(Date.now() - 3_000).toISOString() };
  await bus.log.append([event], { idempotencyId: `${tenant}:route:${id}` });
  return event;
};

const failuresOf = async (bus: Bus) => new Map((await eventsOfType(bus, 'response.failed')).map((event) => [event.correlationid, event]));

describe('a decision without outcome', () => {
  it('of a process that has gone is closed as interrupted, once, and counts no trial', async () => {
    const { bus } = await given();
    await given({ bus, instance: 'host-b' });
    const decision = await orphan(bus, 'r');
    await eventually(async () => (await failuresOf(bus)).has('r'));
    await sweeps();
    expect(await eventsOfType(bus, 'response.failed', 'r')).toHaveLength(1);
    expect((await failuresOf(bus)).get('r')).toMatchObject({
      causationid: decision.id,
      data: { code: 'interrupted', detail: 'the process that answered it ended', arm: 'arm-a', costNanoUsd: 0 },
    });
    const [reward, ...more] = await eventsOfType(bus, 'reward.recorded', 'r');
    expect(more).toEqual([]);
    expect(reward?.data).toMatchObject({ cause: 'interruption', evidence: { trials: 0, success: 0, streaming: 0, cache: 0, cost: 0 } });
  });

  it('that somebody may come back for is left until its deadline has passed', async () => {
    const { bus } = await given();
    await orphan(bus, 'in-time', { retryable: true });
    await orphan(bus, 'late', { retryable: true, deadline: new Date(Date.now() - 5_000).toISOString() });
    await eventually(async () => (await failuresOf(bus)).size > 0);
    await sweeps();
    expect([...(await failuresOf(bus)).keys()]).toEqual(['late']);
  });

  it('is never closed while its process works on it, this one or another', async () => {
    const config = simulatedModel();
    const here = await given({ config });
    const there = await given({ config, bus: here.bus, instance: 'host-b' });
    const answers = [here.open(request()), there.open(request())];
    for (const answer of answers) await answer.next();
    await new Promise((resolve) => setTimeout(resolve, 3_500));
    expect((await failuresOf(here.bus)).size).toBe(0);
    // What was only slow ends well.
    for (const answer of answers) await restOf(answer);
    expect(await eventsOfType(here.bus, 'response.completed')).toHaveLength(2);
    expect((await failuresOf(here.bus)).size).toBe(0);
  });

  it('that can never be closed does not keep the others open', async () => {
    const { bus } = await given();
    await orphan(bus, 'not a request id');
    await orphan(bus, 'r');
    await eventually(async () => (await failuresOf(bus)).has('r'));
    expect((await failuresOf(bus)).size).toBe(1);
  });
});

describe('a log that is away', () => {
  it('is tried again by the next sweep, and closing does not wait for it', async () => {
    const bus = createTestBus();
    let isAway = true;
    const actors = await given({
      bus: withLog(bus, (log) => ({
        append: async (events, options) => {
          if (isAway && events[0].type !== 'policy.activated') throw away();
          return log.append(events, options);
        },
      })),
    });
    await orphan(bus, 'first');
    await sweeps();
    isAway = false;
    await eventually(async () => (await failuresOf(bus)).has('first'));
    isAway = true;
    await orphan(bus, 'second');
    await sweeps();
    const begunMs = Date.now();
    await actors.yard.close();
    expect(Date.now() - begunMs).toBeLessThan(3_000);
  });
});
