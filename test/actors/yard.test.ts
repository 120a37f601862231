import { afterEach, describe, expect, it } from 'vitest';
import type { Bus, BusStatus } from '../../src/bus/bus.ts';
import { PermanentError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { createTestBus, endOf, request, startActors, type TestActors } from './support/actors.ts';
import { withLog } from './support/faults.ts';

const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});
const given = async (options: Parameters<typeof startActors>[0] = {}): Promise<TestActors> => {
  const actors = await startActors(options);
  opened.push(actors);
  return actors;
};

const firstOf = async (bus: Bus) => {
  const all = [];
  for await (const entry of bus.log.read({ from: sequence(1) })) if (entry.kind === 'events') all.push(entry.events[0]);
  return all;
};

/** Core subjects that somebody serves. */
const served = async (bus: Bus, subject: string) =>
  (await bus.messenger.ask(subject, new TextEncoder().encode('{}'), { timeoutMs: 50 })).kind !== 'no-responder';
const subjects = ['switchyard.actor.router', 'switchyard.actor.cache', 'switchyard.host.host-a'];

describe('the policy', () => {
  it('is in the log before the first decision that names it', async () => {
    const { ask, bus } = await given();
    await ask(request());
    const [policy, decision] = await firstOf(bus);
    if (policy?.type !== 'policy.activated' || decision?.type !== 'route.decided') throw new Error('expected a policy and a decision');
    expect(policy.data.policy).toEqual({ id: decision.data.policy.id, version: decision.data.policy.version });
    expect(policy.data.arms.map(({ arm }) => arm)).toEqual(['arm-a', 'arm-b']);
    expect(decision.data.stateSequence).toBeGreaterThanOrEqual(1);
  });

  it('is told once, however many processes start with it, and anew when it changes', async () => {
    const { bus } = await given();
    await given({ bus, instance: 'host-b' });
    expect(await firstOf(bus)).toHaveLength(1);
    await given({ bus, instance: 'host-c', config: { policy: { kind: 'contextual-thompson', floor: 0.05 } } });
    expect((await firstOf(bus)).map(({ data }) => 'spec' in data && data.spec.floor)).toEqual([0.01, 0.05]);
  });

  it('has a number that no forgotten change can have had, where the beginning of the log is gone and nothing is known of it', async () => {
    const whole = createTestBus();
    const before = await given({ bus: whole });
    for (let i = 0; i < 5; i++) await before.ask(request());
    await before.close();
    const { last } = await whole.log.bounds();
    const aged = withLog(whole, (log) => ({
      bounds: async () => ({ ...(await log.bounds()), first: sequence(last + 1) }),
      read: (range) => log.read({ ...range, from: sequence(Math.max(range.from, last + 1)) }),
    }));
    await given({ bus: aged, instance: 'host-b' });
    const activated = (await firstOf(whole)).flatMap((event) => (event.type === 'policy.activated' ? [event.data.change] : []));
    expect(activated).toEqual([1, last + 1]);
  });

  it('is not the business of a process without a router', async () => {
    const { bus } = await given({ roles: ['cache'] });
    expect(await firstOf(bus)).toEqual([]);
  });
});

describe('a process', () => {
  it('has the actors of its roles, live, and answers only with a streamer', async () => {
    const all = await given();
    expect(all.yard.phases()).toEqual({ streamer: 'live', router: 'live', cache: 'live' });
    const cache = await given({ roles: ['cache'] });
    expect(cache.yard.phases()).toEqual({ cache: 'live' });
    expect(cache.yard.answering).toBeNull();
  });

  it('follows the status of the bus', async () => {
    const bus = createTestBus();
    const listeners = new Set<(status: BusStatus) => void>();
    const { yard } = await given({
      bus: {
        ...bus,
        onStatus: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    });
    for (const listener of listeners) listener({ kind: 'reconnecting', sinceMs: 0 });
    expect(new Set(Object.values(yard.phases()))).toEqual(new Set(['degraded']));
    for (const listener of listeners) listener({ kind: 'connected' });
    expect(new Set(Object.values(yard.phases()))).toEqual(new Set(['live']));
    await yard.close();
    expect(listeners.size).toBe(0);
  });

  it('drains: nothing is left under way, and the phases say so', async () => {
    const { ask, yard } = await given();
    const answers = Promise.all(Array.from({ length: 10 }, () => ask(request())));
    expect(await yard.drain(10_000)).toBe(0);
    expect(new Set(Object.values(yard.phases()))).toEqual(new Set(['draining']));
    expect((await answers).map((answer) => endOf(answer).kind)).toEqual(Array.from({ length: 10 }, () => 'finished'));
  });

  it('closes: nothing is served, and the log is looked at no more', async () => {
    const bus = createTestBus();
    let looks = 0;
    const { yard } = await given({ bus: withLog(bus, (log) => ({ bounds: () => (looks++, log.bounds()) })) });
    for (const subject of subjects) expect(await served(bus, subject)).toBe(true);
    await yard.close();
    for (const subject of subjects) expect(await served(bus, subject)).toBe(false);
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(looks).toBe(before);
  });

  it('that cannot start leaves nothing behind', async () => {
    const bus = createTestBus();
    const failing = withLog(bus, () => ({
      append: async () => {
        throw new PermanentError('bus-invalid', 'not this log');
      },
    }));
    await expect(startActors({ bus: failing })).rejects.toThrow(PermanentError);
    for (const subject of subjects) expect(await served(bus, subject)).toBe(false);
  });

  it('is told when its log was made again', async () => {
    const bus = createTestBus();
    let change = {};
    const { lost } = await given({
      bus: withLog(bus, (log) => ({
        bounds: async () => ({ ...(await log.bounds()), ...change }),
      })),
    });
    change = { createdAt: 'another day' };
    await eventually(() => lost.length > 0);
    expect(lost).toHaveLength(1);
  });
});
