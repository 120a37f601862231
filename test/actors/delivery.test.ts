import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createDelivery, type Delivery } from '../../src/actors/delivery.ts';
import type { Appended, EventLog, LogEntry } from '../../src/bus/event-log.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { sampleBatch } from '../support/sample-events.ts';
import { createTestBus, silent } from './support/actors.ts';
import { away } from './support/faults.ts';
import { entryOf, upTo } from './support/counting.ts';

const opened: Delivery[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((delivery) => delivery.close()));
});

const intervalMs = 5;

const given = async (options: { readonly before?: number; readonly change?: (log: EventLog) => Partial<EventLog> } = {}) => {
  const { log } = createTestBus();
  let n = 0;
  const append = async (): Promise<LogEntry> => {
    const events = sampleBatch(++n);
    const appended = (await log.append(events, { idempotencyId: `id-${n}` })) as Exclude<Appended, { kind: 'conflict' }>;
    return { kind: 'events', sequence: appended.sequence, storedAtMs: Date.now(), events };
  };
  for (let i = 0; i < (options.before ?? 0); i++) await append();
  const lost: string[] = [];
  const delivery = await createDelivery({
    log: { ...log, ...options.change?.(log) },
    logger: silent,
    intervalMs,
    onLost: (reason) => lost.push(reason),
  });
  opened.push(delivery);
  const seen: number[] = [];
  delivery.subscribe((entry) => seen.push(entry.sequence));
  return { log, append, delivery, seen, lost };
};

/** Long enough for several looks. */
const looks = async () => {
  const untilMs = Date.now() + 10 * intervalMs;
  await eventually(() => Date.now() > untilMs);
};

describe('entries', () => {
  it('given those of its own, then they arrive with their acknowledgement', async () => {
    const { append, delivery, seen } = await given({ before: 2 });
    expect(delivery.position()).toBe(2);
    delivery.appended(await append());
    expect(seen).toEqual([3]);
    expect(delivery.position()).toBe(3);
  });

  it('given acknowledgements out of order, or twice, then each is handed out once and in order', async () => {
    const { append, delivery, seen } = await given();
    const [one, two, three] = [await append(), await append(), await append()];
    for (const entry of [three, two, three, one, two, one]) delivery.appended(entry);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('given those of other processes, then they are read from the log, and what waited behind them follows', async () => {
    const { append, delivery, seen } = await given();
    await append();
    delivery.appended(await append());
    expect(seen).toEqual([]);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([1, 2]);
  });

  it('are caught up with on demand, all that is in the log then', async () => {
    const { append, delivery, seen } = await given();
    for (let i = 0; i < 5; i++) await append();
    expect(await delivery.catchUp()).toBe(5);
    expect(seen).toEqual(upTo(5));
  });

  it('given many who catch up at once, then each entry is handed out once', async () => {
    const { append, delivery, seen } = await given();
    for (let i = 0; i < 20; i++) await append();
    await Promise.all(Array.from({ length: 50 }, () => delivery.catchUp()));
    expect(seen).toEqual(upTo(20));
  });

  it('given that the log is away for a while, then they come when it is back, and nothing is lost', async () => {
    let isAway = false;
    const { append, seen, lost } = await given({
      change: (log) => ({
        bounds: async () => {
          if (isAway) throw away();
          return log.bounds();
        },
      }),
    });
    isAway = true;
    await append();
    await looks();
    expect(seen).toEqual([]);
    isAway = false;
    await eventually(() => seen.length === 1);
    expect(lost).toEqual([]);
  });

  it('given a subscription that was ended, or a delivery that was closed, then no more', async () => {
    const { append, delivery, seen } = await given();
    const once: number[] = [];
    const end = delivery.subscribe((entry) => {
      once.push(entry.sequence);
      end();
    });
    delivery.appended(await append());
    delivery.appended(await append());
    expect([once, seen]).toEqual([[1], [1, 2]]);
    await delivery.close();
    delivery.appended(await append());
    await append();
    await looks();
    expect(seen).toEqual([1, 2]);
  });

  it('whoever appended them, in whatever order acknowledgements, looks and catching up come: each once, in order, without gaps', async () => {
    const step = fc.constantFrom('own', 'foreign', 'acknowledge', 'catch up', 'breathe');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), fc.infiniteStream(fc.nat()), async (steps, order) => {
        const { log, append, delivery, seen, lost } = await given();
        const unacknowledged: LogEntry[] = [];
        for (const next of steps)
          switch (next) {
            case 'own':
              unacknowledged.push(await append());
              break;
            case 'foreign':
              await append();
              break;
            case 'acknowledge': {
              const [entry] = unacknowledged.splice((order.next().value as number) % Math.max(1, unacknowledged.length), 1);
              if (entry !== undefined) delivery.appended(entry);
              break;
            }
            case 'catch up':
              void delivery.catchUp();
              break;
            case 'breathe':
              await new Promise((resolve) => setImmediate(resolve));
          }
        for (const entry of unacknowledged) delivery.appended(entry);
        await delivery.catchUp();
        expect(seen).toEqual(upTo((await log.bounds()).last));
        expect(lost).toEqual([]);
        await delivery.close();
      }),
      { seed: 31, numRuns: 150 },
    );
  });
});

describe('a log that is not the one that was handed out', () => {
  const bounds = (change: Partial<Awaited<ReturnType<EventLog['bounds']>>>) => (log: EventLog) => {
    let calls = 0;
    return { bounds: async () => ({ ...(await log.bounds()), ...(++calls === 1 ? {} : change) }) };
  };

  it.each([
    ['made again', bounds({ createdAt: 'another day' })],
    ['cut below what was last', bounds({ last: sequence(2) })],
    ['that begins behind what was handed out', bounds({ first: sequence(9), last: sequence(9) })],
  ])('%s: is told once, and nothing is handed out any more', async (_, change) => {
    const { lost, seen, delivery } = await given({ before: 3, change });
    await eventually(() => lost.length > 0);
    await looks();
    expect(lost).toHaveLength(1);
    delivery.appended(entryOf(4));
    expect(seen).toEqual([]);
  });

  it('cut below what was handed out since the last look, and grown again to what that look saw', async () => {
    let cut = Infinity;
    const { lost, append, delivery } = await given({
      before: 3,
      change: (log) => ({
        bounds: async () => {
          const bounds = await log.bounds();
          return { ...bounds, last: sequence(Math.min(bounds.last, cut)) };
        },
      }),
    });
    for (let i = 0; i < 4; i++) delivery.appended(await append());
    expect(delivery.position()).toBe(7);
    cut = 5;
    await eventually(() => lost.length > 0);
    expect(lost).toEqual(['expected a log that reaches 7, got one that ends at 5']);
  });

  it('cut while it was away, and grown past what was handed out: another message in its place', async () => {
    let state: 'there' | 'away' | 'another' = 'there';
    const { lost, append, delivery } = await given({
      change: (log) => ({
        bounds: async () => {
          if (state === 'away') throw away();
          return log.bounds();
        },
        at: async (position) => {
          const entry = await log.at(position);
          return entry === null || state !== 'another' ? entry : { ...entryOf(77), sequence: entry.sequence };
        },
      }),
    });
    delivery.appended(await append());
    delivery.appended(await append());
    state = 'away';
    await looks();
    expect(lost).toEqual([]);
    state = 'another';
    await append();
    await eventually(() => lost.length > 0);
    expect(lost).toEqual(['expected message 2 as it was handed out, there is another one in its place']);
  });

  it('with a hole in it', async () => {
    const { lost, append, seen } = await given({
      change: (log) => ({
        async *read(range) {
          for await (const entry of log.read(range)) if (entry.sequence !== 2) yield entry;
        },
      }),
    });
    for (let i = 0; i < 3; i++) await append();
    await eventually(() => lost.length > 0);
    expect(lost).toEqual(['expected message 2, the log goes on with 3']);
    expect(seen).toEqual([1]);
  });
});
