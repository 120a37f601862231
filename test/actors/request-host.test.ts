import { afterEach, describe, expect, it } from 'vitest';
import { tenantSchema, type SwitchyardEvent } from '../../src/events/index.ts';
import { startMockProvider, type MockProvider, type MockScript } from '../support/mock-provider.ts';
import { allFrames } from '../support/openai-frames.ts';
import {
  endOf,
  errorOf,
  eventsOf,
  eventsOfType,
  messagesOf,
  request,
  restOf,
  shapeOf,
  startActors,
  textOf,
  typesOf,
  type TestActors,
} from './support/actors.ts';
import { servedModel, simulatedModel } from './support/models.ts';

let actors: TestActors | undefined;
let mock: MockProvider | undefined;
afterEach(async () => {
  await actors?.close();
  await mock?.close();
});

const given = async (options: Parameters<typeof startActors>[0] = {}) => (actors = await startActors(options));

const stream = (texts: readonly string[]) => ({ kind: 'bytes', chunks: [allFrames({ texts })], then: 'end' }) as const;
const givenServer = async (script: MockScript) => {
  mock = await startMockProvider({ script });
  return given({ config: servedModel(mock.url) });
};

const whole = ['response.completed', 'reward.recorded', 'cache.stored'];

describe('a miss', () => {
  it('is two messages: the decision, and completion, reward and cache entry together', async () => {
    const { ask, bus } = await givenServer(() => stream(['one ', 'two']));
    const answer = await ask(request({ id: 'r' }));
    expect(shapeOf(answer)).toBe('started delta finished');
    expect(textOf(answer)).toBe('one two');
    expect(await typesOf(bus)).toEqual([['route.decided'], whole]);
    const [[decision], [completed, reward, stored]] = (await messagesOf(bus)) as [[SwitchyardEvent], SwitchyardEvent[]];
    expect([completed?.causationid, reward?.causationid, stored?.causationid]).toEqual([decision.id, completed?.id, completed?.id]);
    expect(new Set((await eventsOf(bus)).map(({ correlationid }) => correlationid))).toEqual(new Set(['r']));
  });

  it('has its decision in the log before the provider is called, and nothing more', async () => {
    const seen: Promise<readonly SwitchyardEvent[]>[] = [];
    const { ask } = await givenServer(() => {
      if (actors !== undefined) seen.push(eventsOf(actors.bus));
      return stream(['one']);
    });
    await ask(request({ id: 'r' }));
    expect((await Promise.all(seen)).map((events) => events.map(({ type, correlationid }) => [type, correlationid]))).toEqual([
      [['route.decided', 'r']],
    ]);
  });

  it('is told to be finished only when the log holds its outcome', async () => {
    const { open, bus } = await given();
    const answer = open(request());
    for (let next = await answer.next(); next.done !== true; next = await answer.next())
      expect((await eventsOfType(bus, 'response.completed')).length).toBe(next.value.kind === 'finished' ? 1 : 0);
  });

  it('of a simulated model carries its judgement as feedback, in the same message', async () => {
    const { ask, bus } = await given();
    await ask(request());
    expect((await typesOf(bus))[1]).toEqual([...whole, 'feedback.received']);
  });

  it('hands no text of prompt or answer to the log', async () => {
    const { ask, bus } = await givenServer(() => stream(['Sesame opens']));
    await ask(request({ content: 'what opens the mountain' }));
    const log = JSON.stringify(await eventsOf(bus));
    expect(log).not.toContain('Sesame');
    expect(log).not.toContain('mountain');
  });
});

describe('a hit', () => {
  it('is one message in the place of a decision, and no model is asked', async () => {
    const { ask, bus } = await givenServer(() => stream(['one ', 'two']));
    await ask(request({ content: 'same' }));
    const answer = await ask(request({ id: 'hit', content: 'same' }));
    expect(shapeOf(answer)).toBe('started delta finished');
    expect(answer[0]).toMatchObject({ cache: 'hit', arm: 'arm-a' });
    expect(textOf(answer)).toBe('one two');
    expect((await typesOf(bus)).slice(2)).toEqual([['cache.hit', 'response.completed', 'reward.recorded']]);
    expect(mock?.requests).toHaveLength(1);
    const [reward] = await eventsOfType(bus, 'reward.recorded', 'hit');
    expect(reward?.data).toMatchObject({ cause: 'cache', evidence: { trials: 0, success: 0, streaming: 0, cache: 0, cost: 0 } });
  });

  it('is not for another tenant, another model asked for, or other parameters', async () => {
    const { ask, bus } = await given({ config: { tenants: [{ id: 'default' }, { id: 'acme' }] } });
    await ask(request({ content: 'same' }));
    await ask(request({ content: 'same', tenant: tenantSchema.parse('acme') }));
    await ask(request({ content: 'same', model: 'arm-a' }));
    await ask(request({ content: 'same', parameters: { temperature: 1 } }));
    expect(await eventsOfType(bus, 'cache.hit')).toEqual([]);
  });

  it.each([
    ['no-store', ['no-store', 'no-store'], 0],
    ['refresh', ['refresh', 'refresh'], 2],
  ] as const)('is not for who asks with %s', async (caching, causes, stored) => {
    const { ask, bus } = await given();
    for (let i = 0; i < 2; i++) expect(shapeOf(await ask(request({ content: 'same', caching })))).toBe('started delta finished');
    expect((await eventsOfType(bus, 'route.decided')).map(({ data }) => data.cache)).toEqual(causes);
    expect(await eventsOfType(bus, 'cache.stored')).toHaveLength(stored);
    const next = await ask(request({ content: 'same' }));
    expect(next[0]).toMatchObject({ cache: stored > 0 ? 'hit' : 'miss' });
  });

  it('does not exist where the cache is turned off, nor of an answer that ended at a limit', async () => {
    const { ask, bus } = await given({ config: { cache: { enabled: false } } });
    for (let i = 0; i < 2; i++) await ask(request({ content: 'same' }));
    expect(await eventsOfType(bus, 'cache.stored')).toEqual([]);
    expect((await eventsOfType(bus, 'route.decided')).map(({ data }) => data.cache)).toEqual(['disabled', 'disabled']);
    await actors?.close();

    const limited = await given();
    await limited.ask(request({ content: 'same', parameters: { max_tokens: 2 } }));
    expect(await eventsOfType(limited.bus, 'cache.stored')).toEqual([]);
  });
});

describe('the same question many times at once', () => {
  it('is asked of a model once, and the others hit the cache', async () => {
    const { ask, bus } = await given({ config: simulatedModel({ firstTokenMs: 30 }) });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(request({ content: 'same' }))));
    expect(new Set(answers.map(textOf)).size).toBe(1);
    expect(await eventsOfType(bus, 'route.decided')).toHaveLength(1);
    const hits = await eventsOfType(bus, 'cache.hit');
    expect(hits).toHaveLength(39);
    expect(new Set(hits.map(({ data }) => data.lookup))).toEqual(new Set(['single-flight']));
  });

  it('whose first attempt fails is asked again by the others', async () => {
    let calls = 0;
    const { ask } = await givenServer(() =>
      ++calls === 1 ? { kind: 'bytes', status: 500, chunks: ['{}'], then: 'end' } : stream(['one']),
    );
    const answers = await Promise.all([1, 2, 3].map(() => ask(request({ content: 'same' }))));
    expect(answers.map((answer) => endOf(answer).kind).sort()).toEqual(['failed', 'finished', 'finished']);
  });

  it('waits for an answer in progress at most half of its time, and then asks for itself', async () => {
    let calls = 0;
    const { ask, open, bus } = await (async () => {
      mock = await startMockProvider({ script: () => (++calls === 1 ? { kind: 'silence' } : stream(['one'])) });
      return given({ config: { ...servedModel(mock.url), requests: { deadlineMs: 8_000, firstTokenMs: 60_000 } } });
    })();
    const first = open(request({ content: 'same' }));
    await first.next();
    const waiting = first.next();
    const begunMs = Date.now();
    expect(shapeOf(await ask(request({ content: 'same' })))).toBe('started delta finished');
    expect(Date.now() - begunMs).toBeGreaterThan(2_500);
    expect(Date.now() - begunMs).toBeLessThan(7_500);
    await waiting;
    expect(await eventsOfType(bus, 'response.failed')).toHaveLength(1);
  });

  it('from somebody who leaves while waiting is recorded nowhere', async () => {
    const { ask, open, bus } = await given({ config: simulatedModel({ firstTokenMs: 100 }) });
    const first = open(request({ content: 'same' }));
    await first.next();
    const leaving = new AbortController();
    const second = ask(request({ id: 'left', content: 'same' }), leaving.signal);
    setImmediate(() => {
      leaving.abort();
    });
    expect(errorOf(await second).code).toBe('cancelled');
    await restOf(first);
    expect((await eventsOf(bus)).filter(({ correlationid }) => correlationid === 'left')).toEqual([]);
  });
});

describe('a request that no model is asked', () => {
  it('for want of an arm that fits is recorded as failed under the id of a decision, without a reward', async () => {
    const { ask, bus } = await given();
    const big = request({ id: 'big', content: 'long '.repeat(100_000) });
    const error = errorOf(await ask(big));
    expect(error).toMatchObject({ code: 'no_candidate' });
    expect(error.message).toContain('arm-a (context-length), arm-b (context-length)');
    expect(await typesOf(bus)).toEqual([['response.failed']]);
    expect(errorOf(await ask({ ...big, retryable: true })).code).toBe('no_candidate');
    expect(await typesOf(bus)).toHaveLength(1);
  });

  it('for an unknown name is recorded nowhere', async () => {
    const { ask, bus } = await given();
    expect(errorOf(await ask(request({ model: 'nobody' }))).code).toBe('model_not_found');
    expect(await eventsOf(bus)).toEqual([]);
  });

  it('because too many are under way is recorded nowhere, and there is room again afterwards', async () => {
    const { ask, open, bus } = await given({ config: { ...simulatedModel({ firstTokenMs: 50 }), requests: { concurrency: 2 } } });
    const under = [open(request()), open(request())];
    await Promise.all(under.map((answer) => answer.next()));
    expect(errorOf(await ask(request({ id: 'refused' })))).toMatchObject({ code: 'overloaded', retryAfterMs: 1_000 });
    for (const answer of under) await restOf(answer);
    expect(endOf(await ask(request())).kind).toBe('finished');
    expect((await eventsOf(bus)).filter(({ correlationid }) => correlationid === 'refused')).toEqual([]);
  });
});
