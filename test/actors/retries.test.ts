import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory/bus.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startMockProvider, type MockProvider, type MockScript } from '../support/mock-provider.ts';
import { allFrames } from '../support/openai-frames.ts';
import { testSettings } from '../support/settings.ts';
import { endOf, errorOf, eventsOfType, request, restOf, shapeOf, startActors, textOf, typesOf, type TestActors } from './support/actors.ts';
import { servedModel, simulatedModel } from './support/models.ts';

/** A request with an id of the caller's is answered once, however often it comes, and whatever died in between is no longer here. */
const opened: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
});

const given = async (options: Parameters<typeof startActors>[0] = {}): Promise<TestActors> => {
  const actors = await startActors(options);
  opened.push(actors);
  return actors;
};
const server = async (script: MockScript): Promise<MockProvider> => {
  const mock = await startMockProvider({ script });
  opened.push(mock);
  return mock;
};
const stream = (...texts: readonly string[]) => ({ kind: 'bytes', chunks: [allFrames({ texts })], then: 'end' }) as const;
const counted = async () => {
  let calls = 0;
  return server(() => stream(`answer ${++calls}`));
};
const retryable = (id: string, content = 'what is it') => request({ id, content, retryable: true, caching: 'no-store' });

describe('the same id', () => {
  it('at the same moment is answered once, and all are given the same answer', async () => {
    const mock = await counted();
    const { ask, bus } = await given({ config: servedModel(mock.url) });
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(retryable('r'))));
    expect(answers.map(textOf)).toEqual(Array.from({ length: 5 }, () => 'answer 1'));
    expect(answers.map((answer) => endOf(answer)).filter((end) => end.kind === 'finished' && end.repeated)).toHaveLength(4);
    expect(mock.requests).toHaveLength(1);
    expect(await typesOf(bus)).toEqual([['route.decided'], ['response.completed', 'reward.recorded']]);
  });

  it('later is given the recorded answer, from its beginning and marked as repeated', async () => {
    const mock = await counted();
    const { ask, bus } = await given({ config: servedModel(mock.url) });
    const first = await ask(retryable('r'));
    const again = await ask(retryable('r'));
    expect(shapeOf(again)).toBe('started delta finished');
    expect(again[0]).toMatchObject({ repeated: true, arm: 'arm-a', cache: 'bypass' });
    expect(endOf(again)).toEqual({ ...endOf(first), repeated: true });
    expect(textOf(again)).toBe('answer 1');
    expect(await typesOf(bus)).toHaveLength(2);
  });

  it('in another process is given the answer of the first', async () => {
    const mock = await counted();
    const first = await given({ config: servedModel(mock.url) });
    const second = await given({ config: servedModel(mock.url), bus: first.bus, instance: 'host-b' });
    await first.ask(retryable('r'));
    expect(textOf(await second.ask(retryable('r')))).toBe('answer 1');
    expect(mock.requests).toHaveLength(1);
  });

  it('with another question is refused, whether the first was routed or a hit', async () => {
    const { ask, bus } = await given();
    await ask(retryable('r'));
    expect(errorOf(await ask(retryable('r', 'something else'))).code).toBe('request_id_reused');
    await ask(request({ content: 'same' }));
    await ask(request({ id: 'hit', content: 'same', retryable: true }));
    const before = (await typesOf(bus)).length;
    expect(errorOf(await ask(request({ id: 'hit', content: 'other', retryable: true }))).code).toBe('request_id_reused');
    expect(await typesOf(bus)).toHaveLength(before);
  });

  it('of another tenant is another request', async () => {
    const { ask, bus } = await given({ config: { tenants: [{ id: 'default' }, { id: 'acme' }] } });
    await ask(retryable('r'));
    const other = await ask({ ...retryable('r'), tenant: testSettings({ tenants: [{ id: 'acme' }] }).config.tenants[0]!.id });
    expect(endOf(other)).toMatchObject({ kind: 'finished', repeated: false });
    expect(await eventsOfType(bus, 'route.decided')).toHaveLength(2);
  });

  it('of a request that failed is told the same failure, and no model is asked', async () => {
    let calls = 0;
    const mock = await server(() => (++calls, { kind: 'bytes', status: 500, chunks: ['{}'], then: 'end' }));
    const { ask, bus } = await given({ config: servedModel(mock.url) });
    const first = errorOf(await ask(retryable('r')));
    const again = errorOf(await ask(retryable('r')));
    expect(again.code).toBe(first.code);
    expect(again.message).toMatch(/failed before/);
    expect(calls).toBe(1);
    expect(await typesOf(bus)).toHaveLength(2);
  });

  it('of a hit is given that hit again', async () => {
    const { ask, bus } = await given();
    const made = await ask(request({ content: 'same' }));
    const hit = request({ id: 'hit', content: 'same', retryable: true });
    await ask(hit);
    const again = await ask(hit);
    expect(again[0]).toMatchObject({ cache: 'hit', repeated: true });
    expect(textOf(again)).toBe(textOf(made));
    expect(await eventsOfType(bus, 'cache.hit')).toHaveLength(1);
  });
});

describe('time', () => {
  const withClock = async (config: Parameters<typeof testSettings>[0] = {}) => {
    const clock = createManualClock(Date.now());
    const bus: MemoryBus = createMemoryBus({ config: testSettings(config).config, clock });
    return { clock, actors: await given({ bus, config }) };
  };

  it('given an answer that is kept for longer than the log knows ids, then it is given and not recorded a second time', async () => {
    const { clock, actors } = await withClock();
    await actors.ask(retryable('r'));
    clock.advance(400_000);
    expect(endOf(await actors.ask(retryable('r')))).toMatchObject({ kind: 'finished', repeated: true });
    expect(await eventsOfType(actors.bus, 'route.decided')).toHaveLength(1);
    expect(await eventsOfType(actors.bus, 'response.completed')).toHaveLength(1);
  });

  it('given an answer that is no longer kept, then that is said', async () => {
    const { clock, actors } = await withClock();
    await actors.ask(retryable('r'));
    clock.advance(700_000);
    expect(errorOf(await actors.ask(retryable('r'))).code).toBe('already_answered');
  });

  it('given a request that everybody but the store of answers has forgotten, then it lives anew and is recorded with an outcome of its own', async () => {
    const { clock, actors } = await withClock({ ledger: { requests: 1 } });
    await actors.ask(retryable('r'));
    await actors.ask(request());
    clock.advance(400_000);
    expect(endOf(await actors.ask(retryable('r')))).toMatchObject({ kind: 'finished', repeated: false });
    const decisions = await eventsOfType(actors.bus, 'route.decided', 'r');
    const outcomes = await eventsOfType(actors.bus, 'response.completed', 'r');
    expect(decisions).toHaveLength(2);
    expect(outcomes.map(({ causationid }) => causationid)).toEqual(decisions.map(({ id }) => id));
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(2);
    // What is still kept is the answer of its earlier life, of which the log speaks no more.
    expect(errorOf(await actors.ask(retryable('r'))).code).toBe('already_answered');
  });
});

describe('an attempt in another process', () => {
  it('that is under way is waited for', async () => {
    const config = simulatedModel({ firstTokenMs: 300 });
    const first = await given({ config });
    const second = await given({ config, bus: first.bus, instance: 'host-b' });
    const made = first.ask(retryable('r'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = await second.ask(retryable('r'));
    expect(endOf(again)).toMatchObject({ kind: 'finished', repeated: true });
    expect(textOf(again)).toBe(textOf(await made));
    expect(await eventsOfType(first.bus, 'response.completed')).toHaveLength(1);
  });

  it('that takes longer than this one has time is left alone', async () => {
    const config = simulatedModel({ firstTokenMs: 5_000 });
    const first = await given({ config });
    const second = await given({ config: { ...config, requests: { deadlineMs: 400 } }, bus: first.bus, instance: 'host-b' });
    const leaving = new AbortController();
    const made = first.ask(retryable('r'), leaving.signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(errorOf(await second.ask(retryable('r')))).toMatchObject({ code: 'unavailable', retryAfterMs: 1_000 });
    leaving.abort();
    await made;
  });

  it('in this process that takes too long is left alone as well', async () => {
    const { ask, open } = await given({ config: { ...simulatedModel(), requests: { deadlineMs: 300 } } });
    const stalled = open(retryable('r'));
    await stalled.next();
    expect(errorOf(await ask(retryable('r'))).code).toBe('unavailable');
    await stalled.return?.();
  });
});

/** A process that dies after its decision is in the log: it says nothing any more, and nothing it began is ever ended. */
const diesAfterDeciding = async (options: Parameters<typeof startActors>[0], ids: readonly string[]) => {
  const actors = await given({ ...options, instance: 'host-dead' });
  const answers = ids.map((id) => actors.open(retryable(id, id)));
  await Promise.all(answers.map((answer) => answer.next()));
  await actors.yard.close();
  return { bus: actors.bus, answers };
};

describe('what a dead process left', () => {
  it('open: is carried out with the arms that its decisions chose', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `left-${i}`);
    const { bus } = await diesAfterDeciding({}, ids);
    const { ask } = await given({ bus });
    for (const id of ids) expect(endOf(await ask(retryable(id, id)))).toMatchObject({ kind: 'finished', repeated: false });
    const armsOf = (events: readonly { correlationid: string; data: { arm: string } }[]) =>
      new Map(events.map(({ correlationid, data }) => [correlationid, data.arm]));
    const decided = armsOf(await eventsOfType(bus, 'route.decided'));
    expect(decided.size).toBe(ids.length);
    expect(new Set(decided.values()).size).toBe(2);
    expect(armsOf(await eventsOfType(bus, 'response.completed'))).toEqual(decided);
    expect((await eventsOfType(bus, 'reward.recorded')).filter(({ data }) => data.revision === 0)).toHaveLength(ids.length);
  });

  it('open, with a model that is configured no more: is closed without blame for a model that was never asked', async () => {
    const { bus } = await diesAfterDeciding({ config: simulatedModel() }, ['r']);
    const { ask } = await given({
      bus,
      config: {
        models: [{ ...simulatedModel().models[0], id: 'model-new' }],
        arms: [{ id: 'arm-a', model: 'model-new' }],
      },
    });
    expect(errorOf(await ask(retryable('r', 'r'))).code).toBe('interrupted');
    expect(await eventsOfType(bus, 'response.failed')).toHaveLength(1);
    expect((await eventsOfType(bus, 'reward.recorded'))[0]?.data.evidence.trials).toBe(0);
  });

  it('open, and meanwhile answered: it is given that answer if it has said nothing, else told to come again', async () => {
    for (const [texts, shape] of [
      [[], 'started delta finished'],
      [['other'], 'delta failed'],
    ] as const) {
      let calls = 0;
      const mock = await server(() => (++calls === 1 ? stream('one') : stream(...texts)));
      const config = servedModel(mock.url);
      const { bus, answers } = await diesAfterDeciding({ config }, ['r']);
      const { ask } = await given({ bus, config });
      expect(textOf(await ask(retryable('r', 'r')))).toBe('one');
      // It was not dead after all, only slow. Its `started` has been told.
      const [slow] = answers;
      const rest = await restOf(slow!);
      expect(shapeOf(rest)).toBe(shape.replace('started ', ''));
      if (texts.length === 0) expect(textOf(rest)).toBe('one');
      else expect(errorOf(rest).code).toBe('unavailable');
      expect(await eventsOfType(bus, 'response.completed')).toHaveLength(1);
      expect(await eventsOfType(bus, 'reward.recorded')).toHaveLength(1);
    }
  });
});
