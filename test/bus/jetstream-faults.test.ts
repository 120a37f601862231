import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { streams } from '../../src/bus/jetstream/topology.ts';
import { InvariantError, TransientError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { connectTestBus, startTestNats, testBusConfig, type TestNats } from '../support/nats.ts';
import { sampleBatch } from '../support/sample-events.ts';

/** The bus over NATS when NATS misbehaves: servers that die, freeze, forget consumers, run full or come back as somebody else. */
let nats: TestNats;
let bus: Bus;
let stopping: AbortController;

/** Notices a silent server within two seconds: for what is about just that. */
const connectWatchfully = (): Promise<Bus> => connectTestBus(nats.url, { pingIntervalMs: 500 });

beforeEach(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  await bus.close();
  await nats.stop();
});

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

/** Appends until it is acknowledged, as the yard does: with the same id each time. */
const appendSurely = async (n: number) => {
  for (;;) {
    try {
      return await bus.log.append(sampleBatch(n), { idempotencyId: `id-${n}` });
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
};

const followInto = (seen: number[], from = 1, gatherMs?: number) =>
  (async () => {
    for await (const entry of bus.log.follow({
      from: sequence(from),
      signal: stopping.signal,
      ...(gatherMs === undefined ? {} : { gatherMs }),
    }))
      seen.push(entry.sequence);
  })();

const admin = async (work: (jsm: JetStreamManager, nc: NatsConnection) => Promise<void>) => {
  const nc = await connect({ servers: nats.url });
  try {
    await work(await jetstreamManager(nc), nc);
  } finally {
    await nc.close();
  }
};

const deleteConsumers = (stream: string, prefix: string) =>
  admin(async (jsm) => {
    for await (const consumer of jsm.consumers.list(stream))
      if (consumer.name.startsWith(prefix)) await jsm.consumers.delete(stream, consumer.name);
  });

describe('the event log', () => {
  test.for([undefined, 20])(
    'follow goes on across kill -9 and restart: every message once, in order (gathering for %s ms)',
    async (gatherMs) => {
      const seen: number[] = [];
      const following = followInto(seen, 1, gatherMs);
      const kinds = new Set<string>();
      let next = 1;
      const appendSome = async (count: number) => {
        for (let i = 0; i < count; i++) kinds.add((await appendSurely(next++)).kind);
      };
      for (let round = 0; round < 3; round++) {
        await appendSome(100);
        const underLoad = appendSome(100);
        await nats.kill9();
        await nats.restart();
        await underLoad;
      }
      const { last } = await bus.log.bounds();
      expect(last).toBe(600);
      await eventually(() => seen.length >= last);
      expect(seen).toEqual(upTo(last));
      expect([...kinds].filter((kind) => kind === 'conflict')).toEqual([]);
      stopping.abort();
      await following;
    },
  );

  test('an append under way when the server dies fails at once, not at its timeout', async () => {
    await nats.freeze();
    const begunMs = Date.now();
    const append = bus.log.append(sampleBatch(1), { idempotencyId: 'lost', timeoutMs: 30_000 });
    const failure = expect(append).rejects.toMatchObject({ name: 'TransientError', code: 'bus-interrupted' });
    await nats.kill9();
    await failure;
    expect(Date.now() - begunMs).toBeLessThan(10_000);
    await expect(bus.log.append(sampleBatch(1), { idempotencyId: 'lost' })).rejects.toMatchObject({ code: 'bus-disconnected' });
    await nats.restart();
    expect((await appendSurely(1)).kind).toMatch(/appended|duplicate/);
    expect(await bus.log.bounds()).toMatchObject({ last: 1 });
  });

  test('an append that nobody acknowledges ends at its timeout', async () => {
    await nats.freeze();
    const append = bus.log.append(sampleBatch(1), { idempotencyId: 'slow', timeoutMs: 200 });
    await expect(append).rejects.toMatchObject({ name: 'TransientError', code: 'bus-timeout' });
    nats.thaw();
    await eventually(() => bus.status().kind === 'connected');
    expect(await bus.log.append(sampleBatch(1), { idempotencyId: 'slow' })).toEqual({ kind: 'duplicate', sequence: 1 });
  });

  test.for([undefined, 20])('follow goes on when its consumer is deleted, again and again (gathering for %s ms)', async (gatherMs) => {
    const seen: number[] = [];
    const following = followInto(seen, 1, gatherMs);
    for (let round = 0; round < 5; round++) {
      for (let n = 1; n <= 20; n++) await appendSurely(round * 20 + n);
      await deleteConsumers(streams.events, 'reader-');
    }
    await eventually(() => seen.length >= 100);
    expect(seen).toEqual(upTo(100));
    stopping.abort();
    await following;
  });

  test('readers leave no consumers behind', async () => {
    for (let n = 1; n <= 5; n++) await appendSurely(n);
    for (let i = 0; i < 5; i++) for await (const entry of bus.log.read({ from: sequence(1) })) if (entry.sequence === 3) break;
    await bus.log.sequenceAt(0);
    await admin(async (jsm) => {
      await eventually(async () => (await jsm.streams.info(streams.events)).state.consumer_count === 0);
    });
  });

  test('follow ends with InvariantError when the log was made again', async () => {
    const seen: number[] = [];
    for (let n = 1; n <= 5; n++) await appendSurely(n);
    const following = followInto(seen);
    await eventually(() => seen.length === 5);
    const ended = expect(following).rejects.toBeInstanceOf(InvariantError);
    await admin(async (jsm) => {
      const { config } = await jsm.streams.info(streams.events);
      await jsm.streams.delete(streams.events);
      await eventually(() => jsm.streams.add(config));
    });
    for (let n = 11; n <= 20; n++) await appendSurely(n);
    await ended;
    expect(seen).toEqual(upTo(5));
  });

  test('a read goes on across a restart, and gives up with TransientError when the log stays away', async () => {
    for (let n = 1; n <= 2_500; n++) await appendSurely(n);
    const seen: number[] = [];
    for await (const entry of bus.log.read({ from: sequence(1) })) {
      seen.push(entry.sequence);
      if (entry.sequence === 500) {
        await nats.kill9();
        await nats.restart();
      }
    }
    expect(seen).toEqual(upTo(2_500));
    await nats.kill9();
    await expect(bus.log.bounds()).rejects.toBeInstanceOf(TransientError);
    await expect(
      (async () => {
        for await (const _ of bus.log.read({ from: sequence(1), to: sequence(10) })) expect.unreachable();
      })(),
    ).rejects.toBeInstanceOf(TransientError);
  });

  test('a retry behind its expectation is recognised without the help of the duplicate window', async () => {
    await bus.close();
    bus = await connectTestBus(nats.url, { config: { ...testBusConfig, log: { ...testBusConfig.log, duplicateWindowSeconds: 1 } } });
    const mine = { idempotencyId: 'mine', expectedLastSequence: sequence(0) };
    await bus.log.append(sampleBatch(1), mine);
    await bus.log.append(sampleBatch(2), { idempotencyId: 'probe' });
    await eventually(async () => (await bus.log.append(sampleBatch(2), { idempotencyId: 'probe' })).kind === 'appended');
    expect(await bus.log.append(sampleBatch(1), mine)).toEqual({ kind: 'duplicate', sequence: 1 });
    expect(await bus.log.append(sampleBatch(1), { ...mine, idempotencyId: 'other' })).toEqual({ kind: 'conflict' });
  });

  test('a full log refuses with TransientError and keeps what it has', async () => {
    await bus.close();
    bus = await connectTestBus(nats.url, { config: { ...testBusConfig, log: { ...testBusConfig.log, maxBytes: 20_000 } } });
    let n = 0;
    const fill = async () => {
      for (;;) await bus.log.append(sampleBatch(++n), { idempotencyId: `id-${n}` });
    };
    await expect(fill()).rejects.toMatchObject({ name: 'TransientError', code: 'store-full' });
    expect(n).toBeGreaterThan(5);
    expect(await bus.log.bounds()).toMatchObject({ first: 1, last: n - 1 });
  });
});

describe('the connection', () => {
  test('a frozen server is noticed, and followed again when it wakes', async () => {
    await bus.close();
    bus = await connectWatchfully();
    const seen: number[] = [];
    const statuses: string[] = [];
    const stop = bus.onStatus(({ kind }) => statuses.push(kind));
    const following = followInto(seen);
    await appendSurely(1);
    await eventually(() => seen.length === 1);
    await nats.freeze();
    await eventually(() => bus.status().kind === 'reconnecting');
    nats.thaw();
    await eventually(() => bus.status().kind === 'connected');
    await appendSurely(2);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual([1, 2]);
    expect(statuses.slice(0, 2)).toEqual(['reconnecting', 'connected']);
    stop();
    stopping.abort();
    await following;
  });

  test('a server that freezes while much is on its way to it is left, and found again', async () => {
    await bus.close();
    bus = await connectWatchfully();
    await nats.freeze();
    const body = new Uint8Array(1_000_000);
    for (let i = 0; i < 30; i++) bus.messenger.publish('nobody', body);
    await eventually(() => bus.status().kind === 'reconnecting');
    await nats.kill9();
    await nats.restart();
    await eventually(() => bus.status().kind === 'connected');
    expect(await appendSurely(1)).toMatchObject({ sequence: 1 });
  });

  test('subscriptions are there again after a restart; questions without a connection are refused', async () => {
    const heard: string[] = [];
    await bus.messenger.subscribe('news', ({ body }) => heard.push(new TextDecoder().decode(body))).ready;
    await nats.kill9();
    await eventually(() => bus.status().kind === 'reconnecting');
    bus.messenger.publish('news', new TextEncoder().encode('dropped'));
    await expect(bus.messenger.ask('news', new Uint8Array(), { timeoutMs: 100 })).rejects.toMatchObject({ code: 'bus-disconnected' });
    await expect(bus.messenger.flush()).rejects.toBeInstanceOf(TransientError);
    await nats.restart();
    await eventually(() => bus.status().kind === 'connected');
    bus.messenger.publish('news', new TextEncoder().encode('heard'));
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(['heard']);
  });

  test('a handler that throws harms nobody', async () => {
    const heard: string[] = [];
    await bus.messenger.subscribe('news', () => {
      throw new Error('on purpose');
    }).ready;
    await bus.messenger.subscribe('news', ({ subject }) => heard.push(subject)).ready;
    bus.messenger.publish('news', new Uint8Array());
    await eventually(() => heard.length === 1);
    expect(await appendSurely(1)).toMatchObject({ kind: 'appended' });
  });

  test('nobody at the address is one error that names it and hides the password', async () => {
    const attempt = connectTestBus('nats://me:secret@127.0.0.1:9', { connectTimeoutMs: 100 });
    await expect(attempt).rejects.toMatchObject({ name: 'TransientError', code: 'bus-unreachable' });
    await expect(attempt).rejects.toThrow(/127\.0\.0\.1:9/);
    await expect(attempt).rejects.not.toThrow(/secret/);
  });

  test('close ends followers and takers with an error, and what comes later is refused', async () => {
    const following = followInto([]);
    const ended = expect(following).rejects.toMatchObject({ code: 'bus-closed' });
    await appendSurely(1);
    await bus.close();
    await ended;
    await expect(bus.log.append(sampleBatch(2), { idempotencyId: 'late' })).rejects.toMatchObject({ code: 'bus-closed' });
    expect(bus.status()).toEqual({ kind: 'closed' });
  });
});

describe('the work queue', () => {
  const put = (n: number) => bus.requests.put({ subject: 'switchyard.work.acme', id: `item-${n}`, headers: {}, body: new Uint8Array([n]) });
  const takeAndFinish = (done: number[]) =>
    (async () => {
      for await (const item of bus.requests.take({ concurrency: 8, signal: stopping.signal }))
        item.done().then(
          () => done.push(item.sequence),
          () => undefined,
        );
    })();

  test('taking goes on across kill -9 and restart, nothing is lost', async () => {
    const done: number[] = [];
    const taking = takeAndFinish(done);
    for (let n = 1; n <= 20; n++) await put(n);
    await eventually(() => done.length === 20);
    await nats.kill9();
    await nats.restart();
    await eventually(() => bus.status().kind === 'connected');
    for (let n = 21; n <= 40; n++) await put(n);
    await eventually(() => new Set(done).size === 40);
    stopping.abort();
    await taking;
  });

  test('a consumer that was deleted is made again', async () => {
    const done: number[] = [];
    const taking = takeAndFinish(done);
    await put(1);
    await eventually(() => done.length === 1);
    await deleteConsumers(streams.requests, 'workers');
    await put(2);
    await eventually(() => done.length === 2);
    stopping.abort();
    await taking;
  });

  test('a full queue refuses', async () => {
    await bus.close();
    bus = await connectTestBus(nats.url, { config: { ...testBusConfig, requests: { ...testBusConfig.requests, queueBytes: 2_000 } } });
    const fill = async () => {
      for (let n = 1; ; n++) await put(n);
    };
    await expect(fill()).rejects.toMatchObject({ name: 'TransientError', code: 'store-full' });
  });

  test('headers that speak to the server are refused', async () => {
    const item = { subject: 'switchyard.work.acme', id: 'x', headers: { 'Nats-Rollup': 'all' }, body: new Uint8Array() };
    await expect(bus.requests.put(item)).rejects.toMatchObject({ code: 'bus-invalid' });
    const broken = { ...item, headers: { 'Switchyard-Reply': 'a\r\nNats-Rollup: all' } };
    await expect(bus.requests.put(broken)).rejects.toMatchObject({ code: 'bus-invalid' });
  });
});

test('a dead letter whose body leaves no room for its headers is cut and says so', async () => {
  const body = new Uint8Array(8 * 1024 ** 2);
  await bus.dead.put({ reason: 'too-large', detail: 'whole', origin: 'here', id: 'large', body });
  const [letter] = await bus.dead.list({ limit: 1 });
  expect(letter?.detail).toMatch(/cut from 8388608 to \d+ bytes/);
  expect(letter?.body.length).toBeGreaterThan(8_000_000);
});
