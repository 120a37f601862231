import { describe, expect, it } from 'vitest';
import { cacheConcern, type CacheCommand, type CachedAnswer } from '../../src/actors/cache.ts';
import { cacheStored, makeEvent, requestIdSchema, sequence, tenantSchema, type DataOf } from '../../src/events/index.ts';
import { tenant } from './support/actors.ts';

const answer = (text: string): CachedAnswer => ({
  text,
  toolCalls: [],
  finishReason: 'stop',
  usage: { promptTokens: 1, completionTokens: 1 },
  costNanoUsd: 5,
  arm: 'arm-a',
  model: 'model-a',
  simulated: false,
  originRequestId: requestIdSchema.parse('origin'),
});
const keyOf = (n: number) => n.toString(16).padStart(32, '0');
const stage = (n: number, text: string, nowMs = 1_000): CacheCommand => ({
  type: 'stage',
  tenant,
  requestId: requestIdSchema.parse(`r${n}`),
  key: keyOf(n),
  answer: answer(text),
  nowMs,
});
const lookup = (n: number, nowMs = 1_500): CacheCommand => ({ type: 'lookup', key: keyOf(n), nowMs });

const given = async (options: { readonly bytes?: number; readonly ttlMs?: number } = {}) => {
  const concern = cacheConcern({ bytes: options.bytes ?? 10_000, ttlMs: options.ttlMs ?? 60_000 });
  const { state } = await concern.rebuild({ atLeast: sequence(0), signal: new AbortController().signal });
  let at = 0;
  const stored = (n: number, by = tenant) => {
    const data: DataOf<'cache.stored'> = { key: keyOf(n), tier: 'l1', arm: 'arm-a', model: 'model-a', bytes: 1, ttlMs: 1 };
    const event = makeEvent(cacheStored, { tenant: by, requestId: `r${n}`, source: 'test', timeMs: 0 }, data);
    concern.evolve(state, { kind: 'events', sequence: sequence(++at), storedAtMs: 0, events: [event] });
  };
  return { ask: (command: CacheCommand) => concern.handle(command, state), stored, state };
};

describe('an answer', () => {
  it('is given once the log says that it was stored, not before, with its age', async () => {
    const { ask, stored } = await given();
    expect(ask(stage(1, 'text'))).toMatchObject({ kind: 'staged', stored: { key: keyOf(1), tier: 'l1', arm: 'arm-a', ttlMs: 60_000 } });
    expect(ask(lookup(1))).toEqual({ kind: 'miss' });
    stored(1);
    expect(ask(lookup(1))).toEqual({ kind: 'hit', answer: answer('text'), ageMs: 500 });
  });

  it('that the log speaks of and that was never staged here, or by another tenant, is a miss', async () => {
    const { ask, stored } = await given();
    stored(1);
    ask(stage(2, 'text'));
    stored(2, tenantSchema.parse('acme'));
    expect([ask(lookup(1)), ask(lookup(2))]).toEqual([{ kind: 'miss' }, { kind: 'miss' }]);
  });

  it('staged again takes the place of the first', async () => {
    const { ask, stored, state } = await given();
    ask(stage(1, 'first'));
    ask(stage(1, 'second'));
    expect(state.staged.size).toBe(1);
    stored(1);
    expect(ask(lookup(1))).toMatchObject({ answer: { text: 'second' } });
    expect(state.stagedBytes).toBe(0);
  });

  it('that is larger than the whole cache is not taken', async () => {
    const { ask, state } = await given({ bytes: 2_000 });
    expect(ask(stage(1, 'x'.repeat(1_000)))).toEqual({ kind: 'too-large' });
    expect(state.staged.size).toBe(0);
  });

  it('leaves after its time', async () => {
    const { ask, stored } = await given({ ttlMs: 20 });
    ask(stage(1, 'text'));
    stored(1);
    await expect.poll(() => ask(lookup(1))).toEqual({ kind: 'miss' });
  });
});

describe('room', () => {
  it('is bounded on the stage and in the cache; the oldest go', async () => {
    const { ask, stored, state } = await given({ bytes: 5_000 });
    for (let n = 1; n <= 100; n++) ask(stage(n, 'x'.repeat(200)));
    expect(state.stagedBytes).toBeLessThanOrEqual(5_000);
    expect(state.staged.size).toBe(5);
    for (let n = 1; n <= 100; n++) {
      ask(stage(n, 'x'.repeat(200)));
      stored(n);
    }
    expect(state.entries.calculatedSize).toBeLessThanOrEqual(5_000);
    expect(ask(lookup(100)).kind).toBe('hit');
    expect(ask(lookup(1)).kind).toBe('miss');
    expect([state.staged.size, state.stagedBytes]).toEqual([0, 0]);
  });
});
