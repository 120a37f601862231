import { afterEach, describe, expect, it } from 'vitest';
import type { FailureCode } from '../../src/events/index.ts';
import { startMockProvider, type MockProvider, type MockReply } from '../support/mock-provider.ts';
import { deltaFrame } from '../support/openai-frames.ts';
import { eventually } from '../support/eventually.ts';
import { endOf, errorOf, eventsOfType, request, restOf, shapeOf, startActors, typesOf, type TestActors } from './support/actors.ts';
import { servedModel, simulatedModel } from './support/models.ts';

/** However a request ends, it has exactly one outcome and one reward, and only what the arm did counts against it. */
let actors: TestActors | undefined;
let mock: MockProvider | undefined;
afterEach(async () => {
  await actors?.close();
  await mock?.close();
});

const given = async (options: Parameters<typeof startActors>[0] = {}) => (actors = await startActors(options));

const expectOneFailure = async ({ bus }: TestActors, code: FailureCode, counts: boolean) => {
  expect(await typesOf(bus)).toEqual([['route.decided'], ['response.failed', 'reward.recorded']]);
  const [failed] = await eventsOfType(bus, 'response.failed');
  const [reward] = await eventsOfType(bus, 'reward.recorded');
  expect(failed?.data).toMatchObject({ code, arm: 'arm-a', model: 'model-a' });
  expect(reward?.data).toMatchObject({
    cause: counts ? 'failure' : 'interruption',
    rewardMicro: 0,
    evidence: { trials: counts ? 1 : 0, success: 0, streaming: 0, cache: 0, cost: 0 },
  });
};

const text = (content: string) => deltaFrame({ content });
const bytes = (reply: Omit<Extract<MockReply, { kind: 'bytes' }>, 'kind'>): MockReply => ({ kind: 'bytes', ...reply });

describe('the arm is blamed', () => {
  it.each([
    ['an error status', bytes({ status: 500, chunks: ['{}'], then: 'end' }), 'provider_error'],
    ['a refusal for the moment', bytes({ status: 429, chunks: ['{}'], then: 'end' }), 'provider_rate_limited'],
    ['a connection cut in mid-stream', bytes({ chunks: [text('one ')], then: 'cut' }), 'answer_truncated'],
    ['a stream that ends without saying so', bytes({ chunks: [text('one ')], then: 'end' }), 'answer_truncated'],
    ['a stream that stalls', bytes({ chunks: [text('one ')], then: 'stall' }), 'provider_timeout'],
    ['no answer at all', { kind: 'silence' }, 'provider_timeout'],
    ['an answer that is too large', bytes({ chunks: [text('x'.repeat(3_000))], then: 'stall' }), 'answer_too_large'],
  ] as const)('for %s', async (_, reply, code) => {
    // Short where it is what the test waits for.
    const limitMs = code === 'provider_timeout' ? 300 : 30_000;
    mock = await startMockProvider({ script: () => reply });
    const config = {
      ...servedModel(mock.url),
      requests: { deadlineMs: 60_000, answerBytes: 2_000, firstTokenMs: limitMs, idleMs: limitMs },
    };
    const here = await given({ config });
    const answer = await here.ask(request());
    expect(errorOf(answer).code).toBe(code);
    expect(answer.filter(({ kind }) => kind === 'failed' || kind === 'finished')).toHaveLength(1);
    await expectOneFailure(here, code, true);
  });

  it('for a failure that it was declared to have', async () => {
    const here = await given({ config: simulatedModel({ errorRate: 1 }) });
    expect(errorOf(await here.ask(request())).code).toBe('provider_error');
    await expectOneFailure(here, 'provider_error', true);
  });
});

describe('the arm is not blamed when the caller', () => {
  const slow = simulatedModel({ firstTokenMs: 20, tokensPerSecond: 20 });

  it('aborts before the first word', async () => {
    const here = await given({ config: simulatedModel({ firstTokenMs: 10_000 }) });
    const leaving = new AbortController();
    const answer = here.ask(request(), leaving.signal);
    await eventually(async () => (await eventsOfType(here.bus, 'route.decided')).length === 1);
    leaving.abort();
    expect(errorOf(await answer).code).toBe('cancelled');
    await expectOneFailure(here, 'cancelled', false);
  });

  it('aborts in the middle', async () => {
    const here = await given({ config: slow });
    const leaving = new AbortController();
    const answer = here.open(request(), leaving.signal);
    await answer.next();
    expect(await answer.next()).toMatchObject({ value: { kind: 'delta' } });
    leaving.abort();
    const rest = await restOf(answer);
    expect(errorOf(rest).code).toBe('cancelled');
    await expectOneFailure(here, 'cancelled', false);
  });

  it('aborted before it asked', async () => {
    const here = await given({ config: slow });
    expect(errorOf(await here.ask(request(), AbortSignal.abort())).code).toBe('cancelled');
    await expectOneFailure(here, 'cancelled', false);
  });

  it.each(['started', 'delta'] as const)('reads no further than %s, without an abort', async (last) => {
    const here = await given({ config: slow });
    for await (const part of { [Symbol.asyncIterator]: () => here.open(request()) }) if (part.kind === last) break;
    await expectOneFailure(here, 'cancelled', false);
  });

  it('takes longer over the answer than the model does, until the time is up', async () => {
    const config = { ...simulatedModel({ tokensPerSecond: 40 }), requests: { deadlineMs: 4_000 } };
    const here = await given({ config });
    const answer = here.open(request());
    const parts = [];
    for (let next = await answer.next(); next.done !== true; next = await answer.next()) {
      parts.push(next.value);
      // Held once, until the time is up.
      if (next.value.kind === 'delta' && parts.length < 3) await new Promise((resolve) => setTimeout(resolve, 4_500));
    }
    expect(errorOf(parts).code).toBe('cancelled');
    await expectOneFailure(here, 'cancelled', false);
  });
});

describe('a slow reader', () => {
  it('makes no stalls: only the time in which the model was waited for counts', async () => {
    const { open, bus } = await given({ config: simulatedModel({ tokensPerSecond: 100 }) });
    const answer = open(request());
    let deltas = 0;
    for (let next = await answer.next(); next.done !== true; next = await answer.next())
      if (next.value.kind === 'delta' && ++deltas < 5) await new Promise((resolve) => setTimeout(resolve, 600));
    const [completed] = await eventsOfType(bus, 'response.completed');
    expect(completed?.data.longestStallMs).toBeLessThan(500);
    expect(completed?.data.latencyMs).toBeGreaterThan(600);
  });
});

describe('a provider that breaks its contract', () => {
  it.each([
    ['throws', 'interrupted', false],
    ['ends without an end', 'answer_truncated', true],
  ] as const)('and %s: the request is closed all the same', async (how, code, counts) => {
    const here = await given({
      config: simulatedModel(),
      around: (provider) => ({
        ...provider,
        async *answer(call) {
          for await (const part of provider.answer(call)) {
            if (part.kind !== 'end') yield part;
            else if (how === 'throws') throw new TypeError('a bug with Sesame in its text');
          }
        },
      }),
    });
    const answer = await here.ask(request());
    expect(shapeOf(answer)).toBe('started delta failed');
    expect(errorOf(answer).code).toBe(code);
    expect(JSON.stringify(endOf(answer))).not.toContain('Sesame');
    await expectOneFailure(here, code, counts);
  });
});

describe('nothing stays behind', () => {
  it('after answers, failures and callers who left: no request is under way', async () => {
    const here = await given({ config: simulatedModel({ tokensPerSecond: 2_000 }) });
    const run = async (i: number) => {
      const answer = here.open(
        request({ content: `question ${i % 7}`, caching: i % 2 === 0 ? 'use' : 'no-store' }),
        i % 5 === 0 ? AbortSignal.timeout(2) : undefined,
      );
      for (let next = await answer.next(); next.done !== true; next = await answer.next())
        if (i % 3 === 0 && next.value.kind === 'delta') await answer.return?.();
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => run(i)));
    expect(await here.yard.drain(0)).toBe(0);
    const decided = await eventsOfType(here.bus, 'route.decided');
    const ended = [...(await eventsOfType(here.bus, 'response.completed')), ...(await eventsOfType(here.bus, 'response.failed'))];
    expect(new Set(ended.map(({ correlationid }) => correlationid)).size).toBe(ended.length);
    for (const { correlationid } of decided) expect(ended.some((event) => event.correlationid === correlationid)).toBe(true);
  });

  it('when the process closes while a request is under way, its answer ends once', async () => {
    const closed = Promise.withResolvers<void>();
    const here = await given({
      config: simulatedModel(),
      around: (provider) => ({
        ...provider,
        async *answer(call) {
          await closed.promise;
          yield* provider.answer(call);
        },
      }),
    });
    const answer = here.ask(request());
    await eventually(async () => (await eventsOfType(here.bus, 'route.decided')).length === 1);
    expect(await here.yard.drain(1)).toBe(1);
    const closing = here.yard.close();
    closed.resolve();
    await closing;
    const parts = await answer;
    expect(parts.filter(({ kind }) => kind === 'finished' || kind === 'failed')).toHaveLength(1);
  });
});
