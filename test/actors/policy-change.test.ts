import { afterEach, describe, expect, it } from 'vitest';
import { policyMessage, type PolicyChange, type PolicyState } from '../../src/actors/policy-change.ts';
import { askForPolicy } from '../../src/cli/ask-router.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { named, type PolicyContent } from '../../src/domain/routing/policy-version.ts';
import { InvariantError } from '../../src/errors.ts';
import { sequence, type SwitchyardEvent } from '../../src/events/index.ts';
import { policySpecSchema, type PolicySpecInput } from '../../src/events/schemas/policy.ts';
import { eventually } from '../support/eventually.ts';
import { createTestBus, request, startActors, type TestActors } from './support/actors.ts';

/** Changes of policy with the actors of one process, or of two on one log. */
const model = (id: string, errorRate: number) => ({
  id,
  provider: { kind: 'simulated', firstTokenMs: { median: 0, p95: 0 }, tokensPerSecond: 1_000_000, errorRate, quality: 1 } as const,
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 },
  contextTokens: 100_000,
});
const only = (arm: string): PolicySpecInput => ({
  kind: 'static',
  id: `only-${arm}`,
  floor: 0,
  trial: { requests: 0, share: 0 },
  shares: { [arm]: 1 },
});
const config = {
  models: [model('sound', 0), model('flaky', 0.4)],
  arms: [
    { id: 'sound', model: 'sound' },
    { id: 'flaky', model: 'flaky' },
  ],
  policy: only('sound'),
};
const guard = { confidence: 0.95, minRequests: 10, rewardMargin: 0, errorMargin: 0, costMargin: 0.5 };

let running: TestActors[] = [];
afterEach(async () => {
  await Promise.all(running.map((actors) => actors.close()));
  running = [];
});

const start = async (bus: Bus, instance = 'host-a', changes: { readonly policy?: PolicySpecInput } = {}): Promise<TestActors> => {
  const actors = await startActors({ bus, instance, config: { ...config, ...changes } });
  running.push(actors);
  return actors;
};

const contentFor = ({ inForce }: PolicyState, spec: PolicySpecInput): PolicyContent => {
  if (inForce === null) throw new Error('expected a policy in force');
  const { weights, arms } = inForce;
  return named({ spec: policySpecSchema.parse(spec), weights, arms });
};

const apply = async (bus: Bus, change: (state: PolicyState) => PolicyChange): Promise<PolicyState> => {
  const state = await askForPolicy(bus.messenger);
  const { events, idempotencyId } = policyMessage(state, change(state), { source: 'switchyard/test', timeMs: Date.now() });
  const appended = await bus.log.append(events, { idempotencyId });
  expect(appended.kind).toBe('appended');
  return eventually(async () => {
    const next = await askForPolicy(bus.messenger);
    return next.latestChange > state.latestChange && next;
  });
};

const canaryOf =
  (spec: PolicySpecInput, share: number) =>
  (state: PolicyState): PolicyChange => ({
    kind: 'start-canary',
    content: contentFor(state, spec),
    share,
    guard,
  });

/** Everything of the log that is about policies, a message a line. */
const changesOf = async (bus: Bus): Promise<readonly string[]> => {
  const told: string[] = [];
  const tell = (event: SwitchyardEvent): string[] => {
    if (event.type === 'policy.activated') return [`${event.data.change} ${event.data.origin}: ${event.data.policy.id}`];
    if (event.type === 'policy.canary_started') return [`${event.data.change} canary: ${event.data.policy.id}`];
    if (event.type === 'policy.canary_ended') return [`${event.data.change} ${event.data.outcome}: ${event.data.policy.id}`];
    return [];
  };
  for await (const entry of bus.log.read({ from: sequence(1) }))
    if (entry.kind === 'events') {
      const line = entry.events.flatMap(tell).join(', ');
      if (line !== '') told.push(line);
    }
  return told;
};

describe('a change of policy', () => {
  it('has the number after the latest, and what belongs together is one message', async () => {
    const bus = createTestBus(config);
    await start(bus);
    await apply(bus, (state) => ({
      kind: 'activate',
      content: contentFor(state, { kind: 'epsilon-greedy', id: 'greedy' }),
      origin: 'command',
    }));
    await apply(bus, canaryOf(only('flaky'), 0.2));
    await apply(bus, canaryOf(only('sound'), 0.5));
    const promoted = await apply(bus, () => ({ kind: 'promote' }));
    expect(promoted).toMatchObject({ inForce: { policy: { id: 'only-sound' }, origin: 'promotion' }, canary: null, latestChange: 7 });
    await apply(bus, canaryOf(only('flaky'), 0.2));
    await apply(bus, (state) => ({ kind: 'activate', content: contentFor(state, only('flaky')), origin: 'command' }));
    await apply(bus, canaryOf(only('sound'), 0.2));
    const withdrawn = await apply(bus, () => ({ kind: 'withdraw', reason: 'enough' }));
    expect(withdrawn).toMatchObject({ inForce: { policy: { id: 'only-flaky' } }, canary: null });
    expect(await changesOf(bus)).toEqual([
      '1 configuration: only-sound',
      '2 command: greedy',
      '3 canary: only-flaky',
      '4 withdrawn: only-flaky, 5 canary: only-sound',
      '6 promoted: only-sound, 7 promotion: only-sound',
      '8 canary: only-flaky',
      '9 withdrawn: only-flaky, 10 command: only-flaky',
      '11 canary: only-sound',
      '12 withdrawn: only-sound',
    ]);
  });

  it('of two that were made from the same state, the first in the log stands', async () => {
    const bus = createTestBus(config);
    await start(bus);
    const state = await askForPolicy(bus.messenger);
    const append = (spec: PolicySpecInput) => {
      const { events, idempotencyId } = policyMessage(
        state,
        { kind: 'activate', content: contentFor(state, spec), origin: 'command' },
        { source: 'switchyard/test', timeMs: Date.now() },
      );
      return bus.log.append(events, { idempotencyId });
    };
    expect((await append({ kind: 'epsilon-greedy', id: 'first' })).kind).toBe('appended');
    expect((await append({ kind: 'epsilon-greedy', id: 'second' })).kind).toBe('duplicate');
    await eventually(async () => (await askForPolicy(bus.messenger)).inForce?.policy.id === 'first');
  });

  it('that ends a canary is none where there is no canary', async () => {
    const bus = createTestBus(config);
    await start(bus);
    const state = await askForPolicy(bus.messenger);
    expect(() => policyMessage(state, { kind: 'promote' }, { source: 'switchyard/test', timeMs: 0 })).toThrow(InvariantError);
  });
});

describe('the start of a process', () => {
  it('keeps what was changed by hand, and the canary, while the configuration is the same', async () => {
    const bus = createTestBus(config);
    const first = await start(bus);
    await apply(bus, (state) => ({
      kind: 'activate',
      content: contentFor(state, { kind: 'epsilon-greedy', id: 'greedy' }),
      origin: 'command',
    }));
    await apply(bus, canaryOf(only('sound'), 0.2));
    await first.close();
    running = [];
    await start(bus, 'host-b');
    const state = await askForPolicy(bus.messenger);
    expect(state).toMatchObject({ inForce: { policy: { id: 'greedy' } }, canary: { policy: { id: 'only-sound' } }, latestChange: 3 });
    expect(await changesOf(bus)).toHaveLength(3);
  });

  it('with another configuration puts that in force, and ends the canary', async () => {
    const bus = createTestBus(config);
    const first = await start(bus);
    await apply(bus, canaryOf(only('flaky'), 0.2));
    await first.close();
    running = [];
    await start(bus, 'host-b', { policy: { kind: 'epsilon-greedy', id: 'new-file' } });
    expect(await askForPolicy(bus.messenger)).toMatchObject({
      inForce: { policy: { id: 'new-file' }, origin: 'configuration' },
      canary: null,
    });
    expect(await changesOf(bus)).toEqual([
      '1 configuration: only-sound',
      '2 canary: only-flaky',
      '3 withdrawn: only-flaky, 4 configuration: new-file',
    ]);
  });
});

describe('the guard', () => {
  it('takes a failing canary back by itself, once, whichever of two routers notices', async () => {
    const bus = createTestBus(config);
    const hosts = [await start(bus, 'host-a'), await start(bus, 'host-b')];
    const folded = async () => {
      const { last } = await bus.log.bounds();
      await Promise.all(hosts.map(({ yard }) => eventually(() => yard.sequence() >= last)));
    };
    // The breaker has seen that most requests of the flaky arm succeed, and leaves the canary to the guard.
    await Promise.all(Array.from({ length: 300 }, (_, i) => hosts[i % 2]!.ask(request({ model: 'flaky' }))));
    const trial = await apply(bus, canaryOf(only('flaky'), 0.3));
    await folded();
    const asked = new Set<string>();
    await eventually(async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          const one = request();
          asked.add(one.requestId);
          return hosts[i % 2]!.ask(one);
        }),
      );
      return (await askForPolicy(bus.messenger)).canary === null;
    });
    // Both guards have had time to see it.
    await folded();
    expect((await changesOf(bus)).slice(1)).toEqual(['2 canary: only-flaky', '3 rolled-back: only-flaky']);

    const events: SwitchyardEvent[] = [];
    for await (const entry of bus.log.read({ from: sequence(1) })) if (entry.kind === 'events') events.push(...entry.events);
    const ended = events.find((event) => event.type === 'policy.canary_ended');
    expect(ended?.data).toMatchObject({
      policy: trial.canary?.policy,
      evidence: { quantity: 'errors', stable: { mean: 0 }, confidence: 0.95 },
      reason: expect.stringMatching(
        /^failures: \d\.\d{4} in \d+ requests against 0\.0000 in \d+ of the policy in force; the difference is/,
      ) as string,
    });
    expect(ended?.data.evidence?.low).toBeGreaterThan(0);

    const after = Array.from({ length: 40 }, () => request());
    for (const one of after) await hosts[0]?.ask(one);
    const decisions = new Map<string, boolean>();
    for await (const entry of bus.log.read({ from: sequence(1) }))
      if (entry.kind === 'events')
        for (const event of entry.events) if (event.type === 'route.decided') decisions.set(event.correlationid, event.data.policy.canary);
    expect(after.map(({ requestId }) => decisions.get(requestId))).toEqual(after.map(() => false));
    const before = [...asked].map((id) => decisions.get(id));
    expect(before.filter((isCanary) => isCanary === true).length).toBeGreaterThanOrEqual(10);
  });

  it('leaves a canary alone that is as good', async () => {
    const bus = createTestBus(config);
    const host = await start(bus);
    await apply(bus, canaryOf({ ...only('sound'), id: 'twin' }, 0.5));
    for (let i = 0; i < 100; i++) await host.ask(request());
    const { canary, report } = await askForPolicy(bus.messenger);
    expect(canary?.policy.id).toBe('twin');
    expect((report?.requests.canary ?? 0) + (report?.requests.stable ?? 0)).toBe(100);
    expect(report?.comparisons?.map(({ quantity, isWorse }) => [quantity, isWorse])).toEqual([
      ['errors', false],
      ['reward', false],
      ['cost', false],
    ]);
  });
});
