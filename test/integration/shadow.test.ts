import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { sequence, type EventOf, type SwitchyardEvent } from '../../src/events/index.ts';
import type { AnswerPart } from '../../src/requests/answer.ts';
import type { ChatRequest } from '../../src/requests/chat-request.ts';
import { request, startActors, type TestActors } from '../actors/support/actors.ts';
import { connectTestBus, startTestNats, testBusConfig, type TestNats } from '../support/nats.ts';

/**
 * 10,000 requests through two processes' worth of actors on a real nats-server, three simulated models that answer at once, every tenth id sent twice. Half-way one of the two is
 * dropped without a word, as kill -9 does, and another takes its place.
 */
const requests = 10_000;
const share = 0.3;
/** Not enough for all of them, in how many windows of four minutes ever they are made; each block is enough for the dearest one. */
const budgetUsdPerHour = 2.4;
const duplicateWindowSeconds = 300;
const model = (id: string, seed: number) => ({
  id,
  provider: {
    kind: 'simulated' as const,
    firstTokenMs: { median: 0, p95: 0 },
    tokensPerSecond: 1_000_000,
    quality: 0.8,
    seed,
    answerTokens: { median: 20, p95: 60 },
  },
  price: { inputUsdPerMillionTokens: seed, outputUsdPerMillionTokens: 4 * seed },
  contextTokens: 100_000,
});
const config: Partial<ConfigInput> = {
  models: [model('model-a', 1), model('model-b', 2), model('model-c', 3)],
  arms: ['a', 'b', 'c'].map((id) => ({ id: `arm-${id}`, model: `model-${id}` })),
  log: { duplicateWindowSeconds },
  shadow: { share, concurrency: 4_096, perSecond: 100_000, budgetUsdPerHour, answerTokens: 600 },
};

let nats: TestNats;
let bus: Bus;
const yards: TestActors[] = [];

const open = async (): Promise<TestActors> => {
  const yard = await startActors({ bus, config, instance: `host-${yards.length + 1}` });
  yards.push(yard);
  return yard;
};

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url, { config: { ...testBusConfig, log: { ...testBusConfig.log, duplicateWindowSeconds } } });
});
afterAll(async () => {
  await Promise.all(yards.map((yard) => yard.close()));
  await bus.close();
  await nats.stop();
});

const requestOf = (i: number): ChatRequest => request({ id: `request-${i}`, content: `question ${i}`, retryable: i % 10 === 0 });

/** So many at a time. */
const askAll = async (
  from: number,
  to: number,
  yardOf: (i: number) => TestActors,
  told: (i: number, parts: readonly AnswerPart[]) => void,
) => {
  let next = from;
  const one = async () => {
    while (next < to) {
      const i = next++;
      told(i, await yardOf(i).ask(requestOf(i)));
      if (i % 10 === 0) told(i, await yardOf(i + 1).ask(requestOf(i)));
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
};

it(
  '10,000 requests: the share holds, nobody is given a shadow, no reward knows of one, and the budget is not overdrawn',
  { timeout: 400_000 },
  async () => {
    const texts = new Map<number, Set<string>>();
    const arms = new Map<number, string>();
    const told = (i: number, parts: readonly AnswerPart[]) => {
      expect(parts.at(-1)?.kind).toBe('finished');
      for (const part of parts) if (part.kind === 'started') arms.set(i, part.arm);
      const text = parts.map((part) => (part.kind === 'delta' ? part.text : '')).join('');
      texts.set(i, (texts.get(i) ?? new Set()).add(text));
    };
    let pair = [await open(), await open()];
    const yardOf = (i: number): TestActors => pair[i % 2]!;
    await askAll(0, requests / 2, yardOf, told);
    // Not drained, not closed: what it had in hand and what it was granted stays where it is.
    pair = [pair[0]!, await open()];
    await askAll(requests / 2, requests, yardOf, told);
    await Promise.all(yards.map(({ yard }) => yard.drain(120_000)));
    await Promise.all(yards.splice(0).map((yard) => yard.close()));

    const events: SwitchyardEvent[] = [];
    for await (const entry of bus.log.read({ from: sequence(1) })) if (entry.kind === 'events') events.push(...entry.events);
    const of = <Type extends SwitchyardEvent['type']>(type: Type) => events.filter((event): event is EventOf<Type> => event.type === type);
    const decisions = new Map(of('route.decided').map((event) => [event.correlationid, event]));
    const shadows = of('shadow.completed');
    const skipped = of('shadow.skipped').reduce((sum, { data }) => sum + data.budget, 0);

    // The share, within 1.5 points, skips included; each request at most once; a second arm of its own decision, each as often as the others.
    expect(decisions.size).toBe(requests);
    expect(new Set(shadows.map(({ correlationid }) => correlationid)).size).toBe(shadows.length);
    expect(Math.abs((shadows.length + skipped) / requests - share)).toBeLessThan(0.015);
    expect(shadows.length).toBeGreaterThan(500);
    expect(skipped).toBeGreaterThan(0);
    for (const { correlationid, data } of shadows) {
      const decision = decisions.get(correlationid)!.data;
      expect([data.delivered.arm, data.question]).toEqual([decision.arm, decision.question]);
      expect(decision.candidates.map(({ arm }) => arm)).toContain(data.shadow.arm);
      expect(data.shadow.arm).not.toBe(decision.arm);
      // Of three, unless one had its trial requests under way just then.
      expect(data.propensity).toBe(1 / (decision.candidates.length - 1));
    }

    // None delivered: what was told is of the arm that was decided on, and always the same.
    for (let i = 0; i < requests; i++) {
      const { arm, model: decided } = decisions.get(`request-${i}`)!.data;
      expect(arms.get(i)).toBe(arm);
      expect([...(texts.get(i) ?? [])].map((text) => text.startsWith(`[simulated ${decided}]`))).toEqual([true]);
    }

    // None in any reward, feedback or cache: one of each for a request, by the arm that was decided on.
    for (const type of ['reward.recorded', 'feedback.received', 'cache.stored', 'response.completed'] as const)
      for (const event of of(type)) if ('arm' in event.data) expect(event.data.arm).toBe(decisions.get(event.correlationid)!.data.arm);
    expect(of('reward.recorded').filter(({ data }) => data.revision === 0)).toHaveLength(requests);
    expect(of('feedback.received')).toHaveLength(requests);
    expect(of('cache.stored')).toHaveLength(requests);

    // The money, window by window.
    const grants = of('shadow.granted');
    expect(new Set(grants.map(({ data }) => `${data.windowStart} ${data.block}`)).size).toBe(grants.length);
    const granted = grants.reduce((sum, { data }) => sum + data.blockNanoUsd, 0);
    const spent = shadows.reduce((sum, { data }) => sum + data.shadow.costNanoUsd, 0);
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(granted);
    expect(shadows.every(({ data }) => data.overrunNanoUsd === 0)).toBe(true);
    const perWindow = budgetUsdPerHour * 1e9 * (grants[0]!.data.windowMs / 3_600_000);
    for (const grantsOfWindow of Map.groupBy(grants, ({ data }) => data.windowStart).values())
      expect(grantsOfWindow.reduce((sum, { data }) => sum + data.blockNanoUsd, 0)).toBeLessThanOrEqual(perWindow);
  },
);
