import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { tenantSchema, type EventType } from '../../src/events/index.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import { eventually } from '../support/eventually.ts';
import { startMockProvider, type MockProvider, type MockReply } from '../support/mock-provider.ts';
import { allFrames, deltaFrame } from '../support/openai-frames.ts';
import { endOf, eventsOf, eventsOfType, request, restOf, shapeOf, startActors, textOf, type TestActors } from './support/actors.ts';

/** Two arms behind one server: the first call for a request is the one whose answer is delivered, the second is the shadow. */
let actors: TestActors | undefined;
let mock: MockProvider | undefined;
afterEach(async () => {
  await actors?.close();
  await mock?.close();
  actors = undefined;
  mock = undefined;
});

const price = { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 10 };
const arms = (url: string): Partial<ConfigInput> => ({
  models: ['model-a', 'model-b'].map((id) => ({
    id,
    provider: { kind: 'openai-compatible', baseUrl: url, model: id },
    price,
    contextTokens: 100_000,
  })),
  arms: [
    { id: 'arm-a', model: 'model-a' },
    { id: 'arm-b', model: 'model-b' },
  ],
  shadow: { share: 1 },
});

const stream = (...texts: readonly string[]): MockReply => ({ kind: 'bytes', chunks: [allFrames({ texts })], then: 'end' });
const stalled: MockReply = { kind: 'bytes', chunks: [deltaFrame({ content: 'begun ' })], then: 'stall' };
const broken: MockReply = { kind: 'bytes', status: 500, chunks: ['{}'], then: 'end' };

const given = async (delivered: MockReply, shadow: MockReply, config: Partial<ConfigInput> = {}): Promise<TestActors> => {
  const calls = new Map<string, number>();
  mock = await startMockProvider({
    script: ({ body }) => {
      const of = JSON.stringify((JSON.parse(body) as { messages: unknown }).messages);
      calls.set(of, (calls.get(of) ?? 0) + 1);
      return calls.get(of) === 1 ? delivered : shadow;
    },
  });
  actors = await startActors({ config: { ...arms(mock.url), ...config } });
  return actors;
};

const count = async ({ bus }: TestActors, type: EventType) => (await eventsOfType(bus, type)).length;
const shadowsOf = ({ bus }: TestActors, n = 1) =>
  eventually(async () => {
    const shadows = await eventsOfType(bus, 'shadow.completed');
    return shadows.length >= n && shadows;
  });
/** Stops the actors, which records what was counted, and gives the sums. */
const skipsOf = async (here: TestActors) => {
  await here.yard.close();
  const sums: Record<string, number> = {};
  for (const { data } of await eventsOfType(here.bus, 'shadow.skipped'))
    for (const [reason, n] of Object.entries(data)) if (typeof n === 'number' && n > 0) sums[reason] = (sums[reason] ?? 0) + n;
  return sums;
};

describe('a request that has been answered', () => {
  it('goes to the other arm too, and the comparison is on record', async () => {
    const here = await given(stream('The answer ', 'is seven.'), stream('The answer is eight.'));
    await here.ask(request({ id: 'r', content: 'secret question' }));
    const [shadow] = await shadowsOf(here);
    const [decision] = await eventsOfType(here.bus, 'route.decided');
    expect(shadow).toMatchObject({
      correlationid: 'r',
      tenant: 'default',
      causationid: decision?.id,
      data: {
        question: decision?.data.question,
        streamed: true,
        share: 1,
        propensity: 1,
        delivered: {
          arm: decision?.data.arm,
          model: decision?.data.model,
          outcome: 'completed',
          detail: null,
          finishReason: 'stop',
          promptTokens: 11,
          completionTokens: 7,
          costNanoUsd: 81_000,
          answerCharacters: 20,
          scoreMicro: null,
          simulated: false,
        },
        shadow: { outcome: 'completed', finishReason: 'stop', costNanoUsd: 81_000, answerCharacters: 20, simulated: false },
        similarityMethod: 'trigram-jaccard-v1',
        overrunNanoUsd: 0,
      },
    });
    const { delivered, shadow: other, similarity, reservedNanoUsd } = shadow!.data;
    expect(new Set([delivered.arm, other.arm])).toEqual(new Set(['arm-a', 'arm-b']));
    expect(other.model).toBe(other.arm.replace('arm', 'model'));
    expect(similarity).toBeGreaterThan(0.4);
    expect(similarity).toBeLessThan(1);
    for (const { latencyMs, firstTokenMs } of [delivered, other]) {
      expect(firstTokenMs).toBeGreaterThan(0);
      expect(latencyMs).toBeGreaterThanOrEqual(firstTokenMs ?? Infinity);
    }
    expect(reservedNanoUsd).toBeGreaterThan(2_048 * 10_000);
  });

  it('hears nothing of it: not delivered, not cached, not rewarded, and no text in the log', async () => {
    const here = await given(stream('deliveredtext'), stream('shadowtext'));
    const question = { content: 'promptsecret' };
    const first = await here.ask(request({ ...question, id: 'r-1' }));
    await shadowsOf(here);
    const again = await here.ask(request({ ...question, id: 'r-2' }));
    expect([textOf(first), textOf(again)]).toEqual(['deliveredtext', 'deliveredtext']);
    expect(again[0]).toMatchObject({ cache: 'hit' });
    const [decision] = await eventsOfType(here.bus, 'route.decided');
    for (const { data } of await eventsOfType(here.bus, 'reward.recorded')) expect(data.arm).toBe(decision?.data.arm);
    expect((await eventsOfType(here.bus, 'reward.recorded')).map(({ correlationid }) => correlationid)).toEqual(['r-1', 'r-2']);
    expect((await eventsOfType(here.bus, 'cache.stored')).map(({ data }) => data.arm)).toEqual([decision?.data.arm]);
    expect(JSON.stringify(await eventsOf(here.bus))).not.toMatch(/deliveredtext|shadowtext|promptsecret/);
    // The answer from the cache was nobody's choice: there is nothing to compare.
    await here.yard.drain(5_000);
    expect(await count(here, 'shadow.completed')).toBe(1);
    expect(mock?.requests).toHaveLength(2);
  });

  it('is told of its end before the shadow begins, and does not wait for one that hangs', async () => {
    const here = await given(stream('done'), { kind: 'silence' });
    const answer = await restOf(here.open(request()));
    expect(shapeOf(answer)).toBe('started delta finished');
    expect(mock?.requests).toHaveLength(1);
    await eventually(() => mock?.requests.length === 2);
    expect(await count(here, 'shadow.completed')).toBe(0);
  });

  it('has one shadow, however often it is asked for', async () => {
    const here = await given(stream('done'), stream('other'));
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(textOf(await here.ask(request({ id: 'same', content: 'same', retryable: true, caching: 'no-store' })))).toBe('done');
      await shadowsOf(here);
    }
    await here.yard.drain(5_000);
    expect(await count(here, 'shadow.completed')).toBe(1);
    expect(mock?.requests).toHaveLength(2);
  });

  it('is compared when its model failed, too', async () => {
    const here = await given(broken, stream('other'));
    await here.ask(request());
    const [shadow] = await shadowsOf(here);
    expect(shadow?.data).toMatchObject({
      delivered: { outcome: 'provider_error', finishReason: null, firstTokenMs: null, costNanoUsd: 0 },
      shadow: { outcome: 'completed' },
      similarity: null,
    });
    expect(shadow?.data.delivered.detail).not.toBeNull();
  });

  it('is not delayed or failed by a shadow that fails', async () => {
    const here = await given(stream('done'), broken);
    expect(endOf(await here.ask(request())).kind).toBe('finished');
    const [shadow] = await shadowsOf(here);
    expect(shadow?.data).toMatchObject({ shadow: { outcome: 'provider_error', costNanoUsd: 0, firstTokenMs: null }, similarity: null });
  });

  it('asked for whole is sent whole', async () => {
    const here = await given(broken, broken);
    await here.ask(request({ streamed: false }));
    const [shadow] = await shadowsOf(here);
    expect(shadow?.data.streamed).toBe(false);
    const [delivered, second] = (mock?.requests ?? []).map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect({ ...second, model: null }).toEqual({ ...delivered, model: null });
  });
});

describe('limits', () => {
  it('an answer that outgrows what was reserved is broken off', async () => {
    const long = Array.from({ length: 50 }, () => deltaFrame({ content: 'twelve chars' }));
    const here = await given(
      stream('done'),
      { kind: 'bytes', chunks: long, pauseMs: 1, then: 'stall' },
      { shadow: { share: 1, answerTokens: 60 } },
    );
    await here.ask(request());
    const [shadow] = await shadowsOf(here);
    expect(shadow?.data.shadow).toMatchObject({
      outcome: 'answer_too_large',
      detail: 'longer than the 60 tokens that were reserved for it',
      finishReason: null,
    });
    expect(shadow?.data.shadow.answerCharacters).toBeLessThan(400);
  });

  it('an answer that comes in one piece is too long before anybody can stop it: that is named as well', async () => {
    const here = await given(
      stream('done'),
      { kind: 'bytes', chunks: [deltaFrame({ content: 'x'.repeat(4_000) })], then: 'stall' },
      { shadow: { share: 1, answerTokens: 60 } },
    );
    await here.ask(request());
    const [shadow] = await shadowsOf(here);
    const { reservedNanoUsd, overrunNanoUsd, shadow: figures } = shadow!.data;
    expect(figures).toMatchObject({ outcome: 'answer_too_large', completionTokens: 1_000 });
    expect(overrunNanoUsd).toBe(figures.costNanoUsd - reservedNanoUsd);
    expect(overrunNanoUsd).toBeGreaterThan(0);
  });

  it('of a call that was broken off nobody knows the bill: all that was reserved is gone', async () => {
    // Each worst case is 600,000 and a little; a window has 900,000.
    const here = await given(stream('done'), stalled, {
      shadow: { share: 1, answerTokens: 60, budgetUsdPerHour: (0.0009 * 3_600) / 240 },
      requests: { idleMs: 100 },
    });
    await here.ask(request());
    const [first] = await shadowsOf(here);
    expect(first?.data.shadow).toMatchObject({ outcome: 'provider_timeout' });
    expect(first?.data.shadow.costNanoUsd).toBeLessThan(100_000);
    await here.ask(request());
    await here.yard.drain(5_000);
    const windows = new Set((await eventsOfType(here.bus, 'shadow.granted')).map(({ data }) => data.windowStart)).size;
    // At the turn of a window there is money again.
    if (windows === 1) expect(await skipsOf(here)).toEqual({ budget: 1 });
  });

  it('a bill beyond what was reserved is named', async () => {
    const usage = { prompt_tokens: 11, completion_tokens: 5_000 };
    const here = await given(stream('done'), { kind: 'bytes', chunks: [allFrames({ texts: ['hidden thoughts'], usage })], then: 'end' });
    await here.ask(request());
    const [shadow] = await shadowsOf(here);
    const { reservedNanoUsd, overrunNanoUsd } = shadow!.data;
    expect(shadow?.data.shadow.costNanoUsd).toBe(50_011_000);
    expect(overrunNanoUsd).toBe(50_011_000 - reservedNanoUsd);
  });

  it('of those at the same time: the others are skipped and counted', async () => {
    const here = await given(stream('done'), stalled, { shadow: { share: 1, concurrency: 2 } });
    for (let i = 0; i < 5; i++) await here.ask(request());
    expect(await skipsOf(here)).toEqual({ concurrency: 3 });
  });

  it('of those in a second', async () => {
    const here = await given(stream('done'), stream('other'), { shadow: { share: 1, concurrency: 100, perSecond: 2 } });
    const startedAtMs = Date.now();
    for (let i = 0; i < 8; i++) await here.ask(request());
    const most = 2 + Math.ceil((2 * (Date.now() - startedAtMs)) / 1_000);
    await here.yard.drain(5_000);
    const made = await count(here, 'shadow.completed');
    expect(made).toBeGreaterThanOrEqual(2);
    expect(made).toBeLessThanOrEqual(most);
    expect(await skipsOf(here)).toEqual({ rate: 8 - made });
  });

  it('of the money: what cannot be covered is not tried', async () => {
    const here = await given(stream('done'), stream('other'), { shadow: { share: 1, budgetUsdPerHour: 0.001 } });
    for (let i = 0; i < 3; i++) await here.ask(request());
    expect(await skipsOf(here)).toEqual({ budget: 3 });
    expect(await count(here, 'shadow.granted')).toBe(0);
    expect(mock?.requests).toHaveLength(3);
  });

  it('of the money first: where there is none, the rate has no part in it', async () => {
    const here = await given(stream('done'), stream('other'), { shadow: { share: 1, budgetUsdPerHour: 0, perSecond: 0.001 } });
    for (let i = 0; i < 5; i++) await here.ask(request());
    expect(await skipsOf(here)).toEqual({ budget: 5 });
  });

  it('and what was skipped is on record while the process goes on', async () => {
    const here = await given(stream('done'), stream('other'), { shadow: { share: 1, budgetUsdPerHour: 0 } });
    await here.ask(request());
    const [event] = await eventually(async () => {
      const skipped = await eventsOfType(here.bus, 'shadow.skipped');
      return skipped.length > 0 && skipped;
    });
    expect(event?.data).toMatchObject({ budget: 1, rate: 0 });
  });

  it('of the money: so many calls as are covered, and what was not spent is there for the next', async () => {
    // Each call costs 81,000; its worst case is 50 tokens of an answer and some of the prompt, 500,000 and a little. A window has 16 times that, in 20 blocks.
    const budgetUsdPerHour = (16 * 0.0005 * 3_600) / 240;
    const here = await given(stream('done'), stream('other'), {
      shadow: { share: 1, answerTokens: 50, budgetUsdPerHour, concurrency: 1_000, perSecond: 1_000 },
    });
    for (let i = 0; i < 150; i++) {
      await here.ask(request());
      if (i % 10 === 9) await sleep(1);
    }
    await here.yard.drain(5_000);
    const shadows = await eventsOfType(here.bus, 'shadow.completed');
    const granted = (await eventsOfType(here.bus, 'shadow.granted')).reduce((sum, { data }) => sum + data.blockNanoUsd, 0);
    const spent = shadows.reduce((sum, { data }) => sum + data.shadow.costNanoUsd, 0);
    expect(shadows.length).toBeGreaterThan(16);
    expect(spent).toBeLessThanOrEqual(granted);
    const windows = new Set((await eventsOfType(here.bus, 'shadow.granted')).map(({ data }) => data.windowStart)).size;
    expect(granted).toBeLessThanOrEqual(windows * 16 * 500_000);
    expect(await skipsOf(here)).toEqual({ budget: 150 - shadows.length });
  });

  it('a tenant may have a share of its own', async () => {
    const here = await given(stream('done'), stream('other'), {
      tenants: [{ id: 'default' }, { id: 'quiet', shadow: { share: 0 } }] as ConfigInput['tenants'],
    });
    const quiet = tenantSchema.parse('quiet');
    for (let i = 0; i < 5; i++) await here.ask(request({ tenant: quiet }));
    await here.ask(request());
    await shadowsOf(here);
    expect((await eventsOfType(here.bus, 'shadow.completed')).map(({ tenant }) => tenant)).toEqual(['default']);
    expect(mock?.requests).toHaveLength(7);
  });
});

describe('there is no shadow', () => {
  it('at a share of 0', async () => {
    const here = await given(stream('done'), stream('other'), { shadow: { share: 0 } });
    for (let i = 0; i < 5; i++) await here.ask(request());
    await here.yard.drain(1_000);
    expect(await skipsOf(here)).toEqual({});
    expect(mock?.requests).toHaveLength(5);
  });

  it('where there is no second arm: it is counted', async () => {
    const here = await given(stream('done'), stream('other'));
    await here.ask(request({ model: 'arm-a' }));
    expect(await skipsOf(here)).toEqual({ noSecondArm: 1 });
  });

  it('when the caller went away', async () => {
    const here = await given(stalled, stream('other'));
    const caller = new AbortController();
    const answer = here.open(request(), caller.signal);
    await answer.next();
    await answer.next();
    caller.abort();
    await restOf(answer);
    expect(await skipsOf(here)).toEqual({ cancelled: 1 });
    expect(mock?.requests).toHaveLength(1);
  });
});

describe('stopping', () => {
  it('waits for a shadow no longer than it is given, and leaves no end open: it is recorded as cancelled', async () => {
    const here = await given(stream('done'), stalled);
    await here.ask(request());
    await eventually(() => mock?.requests.length === 2);
    await here.yard.drain(50);
    const [shadow] = await shadowsOf(here);
    expect(shadow?.data.shadow).toMatchObject({ outcome: 'cancelled', detail: 'the process stopped' });
    // The other one is the delivered answer's, kept for the next.
    await eventually(() => (mock?.connections.open ?? 2) <= 1);
  });

  it('waits for one that ends in time, and begins no other', async () => {
    const here = await given(stream('done'), {
      kind: 'bytes',
      chunks: [deltaFrame({ content: 'slow ' }), allFrames({ texts: ['end'] })],
      pauseMs: 200,
      then: 'end',
    });
    await here.ask(request());
    const draining = here.yard.drain(5_000);
    const late = await here.ask(request());
    await draining;
    expect(endOf(late).kind).toBe('finished');
    const shadows = await eventsOfType(here.bus, 'shadow.completed');
    expect(shadows.map(({ data }) => data.shadow.outcome)).toEqual(['completed']);
    expect(await skipsOf(here)).toEqual({ draining: 1 });
  });
});
