import { beforeEach, describe, expect, test } from 'vitest';
import { createMemoryBus, type MemoryBus } from '../../src/bus/memory/bus.ts';
import { requestIdSchema, sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { testBusConfig } from '../support/nats.ts';
import { sampleBatch, sampleTenant } from '../support/sample-events.ts';

/** What the bus in memory forgets, and when: by a clock that the test moves. */
const { log, requests } = testBusConfig;
const secondMs = 1_000;
const dayMs = 86_400_000;

let clock: ManualClock;
let bus: MemoryBus;
beforeEach(() => {
  clock = createManualClock(1_790_000_000_000);
  bus = createMemoryBus({ config: testBusConfig, clock });
});

describe('the bus in memory', () => {
  test('knows an id for the duplicate window and not longer', async () => {
    await bus.log.append(sampleBatch(1), { idempotencyId: 'a' });
    clock.advance(log.duplicateWindowSeconds * secondMs - 1);
    expect(await bus.log.append(sampleBatch(1), { idempotencyId: 'a' })).toMatchObject({ kind: 'duplicate' });
    clock.advance(1);
    expect(await bus.log.append(sampleBatch(1), { idempotencyId: 'a' })).toEqual({ kind: 'appended', sequence: 2 });
  });

  test('forgets events by age, and readers begin at what is left', async () => {
    await bus.log.append(sampleBatch(1), { idempotencyId: 'a' });
    clock.advance(dayMs / 2);
    await bus.log.append(sampleBatch(2), { idempotencyId: 'b' });
    clock.advance(dayMs / 2);
    expect(await bus.log.bounds()).toMatchObject({ first: 2, last: 2 });
    expect(await bus.log.at(sequence(1))).toBeNull();
    const left: number[] = [];
    for await (const entry of bus.log.read({ from: sequence(1) })) left.push(entry.sequence);
    expect(left).toEqual([2]);
  });

  test('keeps an answer for its time', async () => {
    const id = requestIdSchema.parse('r1');
    await bus.answers.put(sampleTenant, id, new Uint8Array([1]));
    clock.advance(requests.answersKeptSeconds * secondMs - 1);
    expect(await bus.answers.get(sampleTenant, id)).not.toBeNull();
    clock.advance(1);
    expect(await bus.answers.get(sampleTenant, id)).toBeNull();
    expect(await bus.answers.put(sampleTenant, id, new Uint8Array([2]))).toBe(true);
  });

  test('hands an item out again after the acknowledgement wait, and drops one that grew too old', async () => {
    const stopping = new AbortController();
    const deliveries: number[] = [];
    const taking = (async () => {
      for await (const item of bus.requests.take({ concurrency: 1, signal: stopping.signal })) deliveries.push(item.delivery);
    })();
    await bus.requests.put({ subject: 'switchyard.work.acme', id: 'a', headers: {}, body: new Uint8Array() });
    await eventually(() => deliveries.length === 1);
    clock.advance(requests.ackWaitSeconds * secondMs);
    await eventually(() => deliveries.length === 2);
    clock.advance(requests.queueAgeSeconds * secondMs);
    await bus.requests.put({ subject: 'switchyard.work.acme', id: 'b', headers: {}, body: new Uint8Array() });
    await eventually(() => deliveries.length === 3);
    expect(deliveries).toEqual([1, 2, 1]);
    stopping.abort();
    await taking;
  });

  test('a full log refuses, full answers forget the oldest', async () => {
    const small = createMemoryBus({ config: { log: { ...log, maxBytes: 5_000 }, requests: { ...requests, answersKeptBytes: 10 } }, clock });
    const fill = async () => {
      for (let n = 1; ; n++) await small.log.append(sampleBatch(n), { idempotencyId: `id-${n}` });
    };
    await expect(fill()).rejects.toMatchObject({ name: 'TransientError', code: 'store-full' });
    for (const n of [1, 2, 3]) await small.answers.put(sampleTenant, requestIdSchema.parse(`r${n}`), new Uint8Array(4));
    expect(await small.answers.get(sampleTenant, requestIdSchema.parse('r1'))).toBeNull();
    expect(await small.answers.get(sampleTenant, requestIdSchema.parse('r3'))).not.toBeNull();
  });
});
