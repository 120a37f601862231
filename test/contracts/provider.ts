import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Provider, ProviderPart } from '../../src/providers/provider.ts';
import { callOf, collect, endOf, errorOf, secretPrompt, textOf } from '../support/provider-calls.ts';

/** What every provider has to do, see src/providers/provider.ts. */
export type ProviderUnderTest = {
  readonly provider: Provider;
  /** After `provider.close`: everything outside of the provider that the test started. */
  readonly stop?: () => Promise<void>;
};

/** answering: several words, at once; silent: nothing for a minute; failing: every call fails. */
export type Behaviour = 'answering' | 'silent' | 'failing';

export const describeProvider = (name: string, start: (behaviour: Behaviour) => Promise<ProviderUnderTest>): void => {
  describe(`provider: ${name}`, () => {
    const started: ProviderUnderTest[] = [];
    const provide = async (behaviour: Behaviour): Promise<Provider> => {
      const underTest = await start(behaviour);
      started.push(underTest);
      return underTest.provider;
    };
    afterEach(async () => {
      for (const { provider, stop } of started.splice(0)) {
        await provider.close();
        await stop?.();
      }
    });
    const lastOnly = (parts: readonly ProviderPart[]) => {
      expect(parts.slice(0, -1).filter((part) => part.kind === 'end' || part.kind === 'error')).toEqual([]);
      return parts.at(-1);
    };

    test.each([true, false])('gives text and then one end (streamed: %s)', async (streamed) => {
      const provider = await provide('answering');
      const parts = await collect(provider.answer(callOf({ streamed })));
      expect(textOf(parts).length).toBeGreaterThan(0);
      expect(lastOnly(parts)).toMatchObject({ kind: 'end', finishReason: 'stop' });
    });

    test('gives the text in one piece when it was not asked to stream', async () => {
      const provider = await provide('answering');
      const parts = await collect(provider.answer(callOf({ streamed: false })));
      expect(parts.map((part) => part.kind)).toEqual(['text', 'end']);
    });

    test('gives the same text streamed and whole', async () => {
      const provider = await provide('answering');
      const streamed = await collect(provider.answer(callOf({ streamed: true })));
      const whole = await collect(provider.answer(callOf({ streamed: false })));
      expect(textOf(streamed)).toBe(textOf(whole));
    });

    test.each([true, false])('ends a failed call with one error that tells nothing of the prompt (streamed: %s)', async (streamed) => {
      const provider = await provide('failing');
      const parts = await collect(provider.answer(callOf({ streamed })));
      expect(lastOnly(parts)).toMatchObject({ kind: 'error' });
      const { detail } = errorOf(parts);
      expect(detail).not.toContain(secretPrompt);
      expect(detail.length).toBeGreaterThan(0);
      expect(detail.length).toBeLessThanOrEqual(500);
    });

    test('a call that was cancelled before it began is cancelled', async () => {
      const provider = await provide('answering');
      expect(await collect(provider.answer(callOf({ signal: AbortSignal.abort() })))).toMatchObject([
        { kind: 'error', error: { code: 'cancelled' } },
      ]);
    });

    test.each([true, false])('a call that is cancelled while it waits is cancelled at once (streamed: %s)', async (streamed) => {
      const provider = await provide('silent');
      const caller = new AbortController();
      const began = performance.now();
      setTimeout(() => {
        caller.abort();
      }, 50);
      const parts = await collect(provider.answer(callOf({ streamed, signal: caller.signal })));
      expect(parts).toMatchObject([{ kind: 'error', error: { code: 'cancelled' } }]);
      expect(performance.now() - began).toBeLessThan(5_000);
    });

    test('the first part is awaited no longer than its deadline', async () => {
      const provider = await provide('silent');
      const parts = await collect(provider.answer(callOf({ deadlines: { firstTokenMs: 60, idleMs: 9_000, totalMs: 9_000 } })));
      expect(parts).toMatchObject([{ kind: 'error', error: { code: 'provider_timeout' } }]);
      expect(errorOf(parts).detail).toContain('60 ms');
    });

    test.each([true, false])('a call lasts no longer than its deadline (streamed: %s)', async (streamed) => {
      const provider = await provide('silent');
      const parts = await collect(provider.answer(callOf({ streamed, deadlines: { firstTokenMs: 9_000, idleMs: 9_000, totalMs: 70 } })));
      expect(parts).toMatchObject([{ kind: 'error', error: { code: 'provider_timeout' } }]);
      expect(errorOf(parts).detail).toContain('70 ms');
    });

    test.each([true, false])('an answer may be as large as the limit and no larger (streamed: %s)', async (streamed) => {
      const provider = await provide('answering');
      const bytes = Buffer.byteLength(textOf(await collect(provider.answer(callOf({ streamed })))));
      const fits = await collect(provider.answer(callOf({ streamed, maxAnswerBytes: bytes })));
      expect(endOf(fits).finishReason).toBe('stop');
      const exceeds = await collect(provider.answer(callOf({ streamed, maxAnswerBytes: bytes - 1 })));
      expect(errorOf(exceeds).code).toBe('answer_too_large');
      expect(Buffer.byteLength(textOf(exceeds))).toBeLessThan(bytes);
    });

    test('answers many calls at the same time, each with its own end', async () => {
      const provider = await provide('answering');
      const all = await Promise.all(Array.from({ length: 64 }, (_, n) => collect(provider.answer(callOf({ streamed: n % 2 === 0 })))));
      const texts = new Set(all.map(textOf));
      expect(all.map((parts) => endOf(parts).kind)).toHaveLength(64);
      expect(texts.size).toBe(1);
    });

    test('leaves no listener on the signal, however the call ends', async () => {
      const signal = new AbortController().signal;
      const answering = await provide('answering');
      await collect(answering.answer(callOf({ signal })));
      for await (const _part of answering.answer(callOf({ signal }))) break;
      await collect((await provide('failing')).answer(callOf({ signal })));
      await collect((await provide('silent')).answer(callOf({ signal, deadlines: { firstTokenMs: 30, idleMs: 30, totalMs: 30 } })));
      expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    });

    test('a reader who leaves early does not disturb the next call', async () => {
      const provider = await provide('answering');
      for (let n = 0; n < 20; n++) for await (const _part of provider.answer(callOf())) break;
      expect(endOf(await collect(provider.answer(callOf()))).finishReason).toBe('stop');
    });

    test('closing ends the calls under way, and those that come later', async () => {
      const provider = await provide('silent');
      const waiting = collect(provider.answer(callOf()));
      setTimeout(() => void provider.close(), 50);
      expect(errorOf(await waiting).code).toBe('provider_unavailable');
      expect(errorOf(await collect(provider.answer(callOf()))).code).toBe('provider_unavailable');
    });
  });
};
