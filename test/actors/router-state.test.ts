import { afterEach, describe, expect, it } from 'vitest';
import { askRemote } from '../../src/actors/remote.ts';
import { routerConcern, type RouterReply } from '../../src/actors/router.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { seededRandom } from '../../src/domain/random.ts';
import { recompute } from '../../src/domain/routing/recompute.ts';
import { snapshotOf, stateOf, type StateSnapshot } from '../../src/domain/routing/snapshot.ts';
import { emptyRouterState, evolveRouter } from '../../src/domain/routing/state.ts';
import { summaryOf } from '../../src/domain/routing/summary.ts';
import { feedbackReceived, idempotencyIds, makeEvent, requestIdSchema, sequence, tenantSchema } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { testSettings } from '../support/settings.ts';
import { eventsOfType, request, silent, startActors, tenant, type TestActors } from './support/actors.ts';
import { logMemory } from './support/log-memory.ts';

/** After traffic of all kinds: the state that lives is the fold of the log, however that is taken, and every decision can be made again from the log. */
const opened: TestActors[] = [];
afterEach(async () => {
  for (const actors of opened.splice(0)) await actors.close();
});

const model = (id: string, quality: number, errorRate: number): ConfigInput['models'][number] => ({
  id,
  provider: {
    kind: 'simulated',
    firstTokenMs: { median: 1, p95: 2 },
    tokensPerSecond: 50_000,
    quality,
    errorRate,
    answerTokens: { median: 10, p95: 30 },
  },
  price: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 10 * quality },
  contextTokens: 1_000,
});

const config: Partial<ConfigInput> = {
  models: [model('good', 0.9, 0.02), model('fair', 0.6, 0.1), model('poor', 0.2, 0.3)],
  arms: ['good', 'fair', 'poor'].map((id) => ({ id: `arm-${id}`, model: id })),
  tenants: [{ id: 'default' }, { id: 'thrifty', weights: { success: 0.1, streaming: 0, cache: 0, cost: 0.9 } }],
};

const thrifty = tenantSchema.parse('thrifty');

/** For every arm. */
const tooLong = 'long '.repeat(100_000);

const traffic = async ({ open, bus }: TestActors, count: number): Promise<void> => {
  const one = async (n: number) => {
    const random = seededRandom(`traffic ${n}`);
    const signal = random() < 0.05 ? AbortSignal.timeout(1) : new AbortController().signal;
    const asked = request({
      id: `r${n}`,
      content: random() < 0.1 ? tooLong : `question ${Math.floor(random() * 60)}`,
      tenant: random() < 0.3 ? thrifty : tenant,
      model: random() < 0.2 ? 'fair' : 'auto',
      caching: (['use', 'use', 'refresh', 'no-store'] as const)[Math.floor(random() * 4)] ?? 'use',
      streamed: random() < 0.5,
    });
    const stops = random() < 0.05;
    const answer = open(asked, signal);
    for (let next = await answer.next(); next.done !== true; next = await answer.next())
      if (stops && next.value.kind === 'delta') await answer.return?.();
    if (random() < 0.3) await judge(bus, n, random());
  };
  for (let n = 0; n < count; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => one(n + i)));
};

const judge = async (bus: Bus, n: number, score: number) => {
  const event = makeEvent(
    feedbackReceived,
    { tenant, requestId: `r${n}`, source: 'switchyard/host-a', timeMs: Date.now() },
    { feedbackId: `f${n}`, kind: 'score', scoreMicro: Math.round(score * 1_000_000) },
  );
  await bus.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, requestIdSchema.parse(`r${n}`), `f${n}`) });
};

type State = Extract<RouterReply, { kind: 'state' }>;
const liveState = async (bus: Bus) => (await askRemote(bus.messenger, 'router', { type: 'state' })) as State;

/** Waits until no feedback is taken up any more and the router has folded all there is. */
const settled = (actors: readonly TestActors[], bus: Bus) =>
  eventually(async () => {
    const { last } = await bus.log.bounds();
    await new Promise((resolve) => setTimeout(resolve, 700));
    return (await bus.log.bounds()).last === last && actors.every(({ yard }) => yard.sequence() === last);
  });

/** The fold of the log up to and with a sequence. */
const foldTo = async (bus: Bus, last: number): Promise<StateSnapshot> => {
  const state = emptyRouterState();
  if (last > 0)
    for await (const entry of bus.log.read({ from: sequence(1), to: sequence(last) }))
      evolveRouter(state, { ...entry, events: entry.kind === 'events' ? entry.events : [] });
  return snapshotOf(state);
};

const expectSameState = async (bus: Bus) => {
  const live = await liveState(bus);
  expect(live.sequence).toBe((await bus.log.bounds()).last);
  expect(live.summary).toEqual(summaryOf(await foldTo(bus, live.sequence)));
  for (const share of [0, 0.3, 0.77, 1]) {
    const base = await foldTo(bus, Math.floor(live.sequence * share));
    const concern = routerConcern({
      config: testSettings(config).config,
      log: bus.log,
      evidenceSource: async () => base,
      memory: logMemory(bus.log),
      logger: silent,
    });
    const { state } = await concern.rebuild({ atLeast: sequence(0), signal: new AbortController().signal });
    expect(summaryOf(snapshotOf(state.routing))).toEqual(live.summary);
    expect(state.ledger.requests.size).toBe(live.requestsKnown);
    expect(state.ledger.open.size).toBe(live.openDecisions);
  }
};

/** Repeats every decision from what the log held before it. */
const expectDecisionsRepeatable = async (bus: Bus, atLeast: number) => {
  const state = emptyRouterState();
  const states = new Map<number, StateSnapshot>([[0, snapshotOf(state)]]);
  let decisions = 0;
  for await (const entry of bus.log.read({ from: sequence(1) })) {
    const events = entry.kind === 'events' ? entry.events : [];
    for (const event of events) {
      if (event.type !== 'route.decided') continue;
      decisions++;
      const at = states.get(event.data.stateSequence);
      if (at === undefined) throw new Error(`expected the state of decision ${event.id} before it in the log`);
      expect(recompute(event.data, event.tenant, stateOf(at))).toEqual({ kind: 'same' });
      expect(event.data.candidates.reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(1, 9);
    }
    evolveRouter(state, { ...entry, events });
    states.set(entry.sequence, snapshotOf(state));
  }
  expect(decisions).toBeGreaterThan(atLeast);
};

describe('after traffic of all kinds', () => {
  it('in one process: one state, and every decision can be repeated', async () => {
    const actors = await startActors({ config });
    opened.push(actors);
    const { bus } = actors;
    await traffic(actors, 300);
    await settled([actors], bus);
    await expectSameState(bus);
    await expectDecisionsRepeatable(bus, 100);
    expect((await eventsOfType(bus, 'reward.recorded')).filter(({ data }) => data.cause === 'feedback').length).toBeGreaterThan(30);
    // Every way in which a request can end was among them.
    expect((await eventsOfType(bus, 'cache.hit')).length).toBeGreaterThan(5);
    const codes = new Set((await eventsOfType(bus, 'response.failed')).map(({ data }) => data.code));
    expect([...codes].sort()).toEqual(['cancelled', 'no_candidate', 'provider_error']);
  });

  it('in two processes that append at the same time: one state each, the same, and every decision can be repeated', async () => {
    const first = await startActors({ config });
    const second = await startActors({ config, bus: first.bus, instance: 'host-b' });
    opened.push(second, first);
    const { bus } = first;
    const random = seededRandom('two');
    for (let round = 0; round < 15; round++)
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          (random() < 0.5 ? first : second).ask(request({ id: `t${round}-${i}`, content: `q ${round * 10 + i}` })),
        ),
      );
    await settled([first, second], bus);
    // Both serve the same subject, in turn.
    for (let i = 0; i < 4; i++) await expectSameState(bus);
    await expectDecisionsRepeatable(bus, 100);
  });
});
