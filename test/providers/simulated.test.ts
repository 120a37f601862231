import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SimulationProfile } from '../../src/domain/streaming/simulation.ts';
import { simulated } from '../../src/providers/simulated.ts';
import { describeProvider } from '../contracts/provider.ts';
import { callOf, collect, endOf, errorOf, textOf } from '../support/provider-calls.ts';

const quick: SimulationProfile = {
  firstTokenMs: { median: 1, p95: 2 },
  tokensPerSecond: 10_000,
  answerTokens: { median: 20, p95: 30 },
  errorRate: 0,
  quality: 0.5,
  seed: 1,
};
const profiles = {
  answering: quick,
  silent: { ...quick, firstTokenMs: { median: 60_000, p95: 60_000 } },
  failing: { ...quick, errorRate: 1 },
};

describeProvider('simulated', async (behaviour) => ({ provider: simulated({ id: 'sim', profile: profiles[behaviour] }) }));

describe('simulated', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Declared times that pass on a clock of the test's own. */
  const onFakeClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const steady: SimulationProfile = {
    ...quick,
    firstTokenMs: { median: 300, p95: 300 },
    tokensPerSecond: 20,
    answerTokens: { median: 10, p95: 10 },
  };

  test('streams words at the declared pace, and gives a whole answer at its end', async () => {
    onFakeClock();
    const provider = simulated({ id: 'sim', profile: steady });
    const arrivals = async (streamed: boolean) => {
      const began = performance.now();
      const seen: [string, number][] = [];
      const reading = (async () => {
        for await (const part of provider.answer(callOf({ streamed }))) seen.push([part.kind, Math.round(performance.now() - began)]);
      })();
      await vi.advanceTimersByTimeAsync(2_000);
      await reading;
      return seen;
    };
    const words = Array.from({ length: 10 }, (_, n) => ['text', 300 + n * 50]);
    expect(await arrivals(true)).toEqual([...words, ['end', 750]]);
    expect(await arrivals(false)).toEqual([
      ['text', 750],
      ['end', 750],
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not drift: what became due while a timer was late goes out together', async () => {
    onFakeClock();
    const provider = simulated({ id: 'sim', profile: steady });
    const began = performance.now();
    const seen: [string, number][] = [];
    const reading = (async () => {
      for await (const part of provider.answer(callOf())) {
        seen.push([part.kind, Math.round(performance.now() - began)]);
        if (seen.length === 2) await new Promise((resolve) => setTimeout(resolve, 225));
      }
    })();
    await vi.advanceTimersByTimeAsync(2_000);
    await reading;
    expect(seen.map(([, at]) => at)).toEqual([300, 350, 575, 600, 650, 700, 750, 750]);
  });

  test('gives the same answer, usage and judgement to the same request, and another text to another', async () => {
    const provider = simulated({ id: 'sim', profile: quick });
    const one = await collect(provider.answer(callOf({ streamed: false })));
    expect(await collect(provider.answer(callOf({ streamed: false })))).toEqual(one);
    expect(textOf(one)).toMatch(/^\[simulated sim\] /);
    expect([0, 1_000_000]).toContain(endOf(one).measuredScoreMicro);
    expect(endOf(one).usage).toEqual({ promptTokens: 7, completionTokens: textOf(one).split(' ').length - 1 });
    const other = await collect(provider.answer(callOf({ streamed: false, requestId: 'request-2' })));
    expect(textOf(other)).not.toBe(textOf(one));
  });

  test.each(['max_tokens', 'max_completion_tokens'])('keeps to %s', async (name) => {
    const provider = simulated({ id: 'sim', profile: quick });
    const parts = await collect(provider.answer(callOf({ parameters: { [name]: 2 } })));
    expect(endOf(parts)).toMatchObject({ finishReason: 'length', usage: { completionTokens: 2 } });
    expect(textOf(parts).split(' ')).toHaveLength(3);
  });

  test('an abort between two words leaves no timer behind', async () => {
    onFakeClock();
    const provider = simulated({ id: 'sim', profile: steady });
    const caller = new AbortController();
    const reading = collect(provider.answer(callOf({ signal: caller.signal })));
    await vi.advanceTimersByTimeAsync(420);
    caller.abort();
    const parts = await reading;
    expect(errorOf(parts).code).toBe('cancelled');
    expect(parts.filter((part) => part.kind === 'text')).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a pause between two words longer than the deadline is a timeout', async () => {
    const provider = simulated({ id: 'sim', profile: { ...quick, tokensPerSecond: 2 } });
    const parts = await collect(provider.answer(callOf({ deadlines: { firstTokenMs: 5_000, idleMs: 50, totalMs: 5_000 } })));
    expect(errorOf(parts)).toEqual({ code: 'provider_timeout', detail: 'no further part within 50 ms' });
  });
});
