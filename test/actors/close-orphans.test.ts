import { afterEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { EventOf } from '../../src/events/index.ts';
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
  const actors = await startActors(options);
  opened.push(actors);
  return actors;
};

/** Several sweeps. */
const sweeps = () => new Promise((resolve) => setTimeout(resolve, 1_600));

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
