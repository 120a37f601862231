import { JetStreamApiError, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { applyTopology, differences } from '../../src/bus/jetstream/apply-topology.ts';
import { streams, topologyOf } from '../../src/bus/jetstream/topology.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { connectTestBus, startTestNats, testBusConfig, type TestNats } from '../support/nats.ts';
import { sampleBatch } from '../support/sample-events.ts';

let nats: TestNats;
let raw: NatsConnection;
let jsm: JetStreamManager;

beforeAll(async () => {
  nats = await startTestNats();
  raw = await connect({ servers: nats.url });
  jsm = await jetstreamManager(raw);
});
afterEach(async () => {
  for (const stream of Object.values(streams)) await jsm.streams.delete(stream).catch(() => undefined);
});
afterAll(async () => {
  await raw.close();
  await nats.stop();
});

const logOf = (change: Partial<(typeof testBusConfig)['log']>) => ({ ...testBusConfig, log: { ...testBusConfig.log, ...change } });

describe('topology', () => {
  test('makes every stream and consumer, from several processes at once', async () => {
    const buses = await Promise.all(Array.from({ length: 8 }, () => connectTestBus(nats.url)));
    const names: string[] = [];
    for await (const { config } of jsm.streams.list()) names.push(config.name);
    expect(names.sort()).toEqual(Object.values(streams).sort());
    expect((await jsm.consumers.info(streams.requests, 'workers')).config).toMatchObject({ max_deliver: 3, ack_wait: 1e9 });
    expect((await jsm.streams.info(streams.events)).config).toMatchObject({
      discard: 'new',
      deny_delete: true,
      deny_purge: true,
      allow_direct: true,
      max_bytes: testBusConfig.log.maxBytes,
    });
    await Promise.all(buses.map((bus) => bus.close()));
  });

  test('a second start changes nothing and keeps what is there', async () => {
    const first = await connectTestBus(nats.url);
    await first.log.append(sampleBatch(1), { idempotencyId: 'kept' });
    const { createdAt } = await first.log.bounds();
    await first.close();
    const second = await connectTestBus(nats.url);
    expect(await second.log.bounds()).toEqual({ first: 1, last: 1, createdAt });
    await second.close();
  });

  test('the log stays the same log when a limit is changed and the server starts again', async () => {
    const own = await startTestNats();
    try {
      const withAge = async (maxAgeDays: number) => {
        const bus = await connectTestBus(own.url, { config: logOf({ maxAgeDays }) });
        const { createdAt } = await bus.log.bounds();
        await bus.close();
        const nc = await connect({ servers: own.url });
        const { created } = await (await jetstreamManager(nc)).streams.info(streams.events);
        await nc.close();
        return { createdAt, created };
      };
      const made = await withAge(30);
      expect((await withAge(20)).createdAt).toBe(made.createdAt);
      await own.kill9();
      await own.restart();
      expect((await withAge(10)).createdAt).toBe(made.createdAt);
      await own.kill9();
      await own.restart();
      const now = await withAge(10);
      expect(now.createdAt).toBe(made.createdAt);
      // What the server itself says has moved, or this test proves nothing.
      expect(now.created).not.toBe(made.created);
    } finally {
      await own.stop();
    }
  });

  test('any age that the configuration takes is one that the server takes', async () => {
    // In binary 0.7 days are no whole nanoseconds, and neither is the last; the first is as short as the window.
    for (const maxAgeDays of [testBusConfig.log.duplicateWindowSeconds / 86_400, 0.7, 0.123456789012345]) {
      const bus = await connectTestBus(nats.url, { config: logOf({ maxAgeDays }) });
      const { max_age: ageNs } = (await jsm.streams.info(streams.events)).config;
      expect(Math.abs(ageNs / 86_400e9 - maxAgeDays)).toBeLessThan(1e-8);
      await bus.close();
    }
  });

  test('a log of before it had a name of its own is known by what the server says', async () => {
    await eventually(() =>
      jsm.streams.add({ name: streams.events, subjects: ['switchyard.event.>'], storage: 'file', deny_delete: true, deny_purge: true }),
    );
    const { created } = await jsm.streams.info(streams.events);
    const bus = await connectTestBus(nats.url);
    expect((await bus.log.bounds()).createdAt).toBe(created);
    await bus.close();
    expect((await jsm.streams.info(streams.events)).config.metadata).toMatchObject({ switchyard_log_created: created });
  });

  test('a limit that was changed in the configuration is changed in place', async () => {
    const before = await connectTestBus(nats.url);
    await before.log.append(sampleBatch(1), { idempotencyId: 'kept' });
    await before.close();
    const after = await connectTestBus(nats.url, {
      config: { ...logOf({ maxBytes: 512 * 1024 ** 2 }), requests: { ...testBusConfig.requests, ackWaitSeconds: 7 } },
    });
    expect((await jsm.streams.info(streams.events)).config.max_bytes).toBe(512 * 1024 ** 2);
    expect((await jsm.consumers.info(streams.requests, 'workers')).config.ack_wait).toBe(7e9);
    expect(await after.log.at(sequence(1))).not.toBeNull();
    await after.close();
  });

  test('what the server fails to make for a while is made in the end', async () => {
    let failures = 0;
    // As it answers while it still takes the files of a deleted stream of that name away.
    const failing = Object.assign(Object.create(jsm) as JetStreamManager, {
      streams: Object.assign(Object.create(jsm.streams) as JetStreamManager['streams'], {
        add: (spec: Parameters<typeof jsm.streams.add>[0]) =>
          ++failures <= 3
            ? Promise.reject(new JetStreamApiError({ code: 500, err_code: 10_049, description: 'error creating store for stream' }))
            : jsm.streams.add(spec),
      }),
    });
    await applyTopology(failing, topologyOf(testBusConfig));
    expect(failures).toBe(3 + Object.values(streams).length);
    await (await connectTestBus(nats.url)).close();
  });

  test('what cannot be changed is one error with field, expected and seen', async () => {
    await eventually(() => jsm.streams.add({ name: streams.events, subjects: ['switchyard.event.>'], storage: 'memory' }));
    const attempt = connectTestBus(nats.url);
    await expect(attempt).rejects.toMatchObject({ name: 'PermanentError', code: 'topology' });
    await expect(attempt).rejects.toThrow(/SWITCHYARD_EVENTS.*storage: expected "file", seen "memory"/);
  });

  test('a log that does not fit on the disk is one error that says what to lower', async () => {
    const attempt = connectTestBus(nats.url, { config: logOf({ maxBytes: Number.MAX_SAFE_INTEGER }) });
    await expect(attempt).rejects.toMatchObject({ name: 'PermanentError', code: 'topology' });
    await expect(attempt).rejects.toThrow(/cannot reserve 9007199254740991 bytes.*log\.maxBytes/);
  });

  test('a field that the server dropped is a difference, a zero that it leaves out is none', () => {
    expect(differences({ allow_direct: true }, {})).toEqual([{ field: 'allow_direct', expected: true, seen: undefined }]);
    expect(differences({ max_age: 0 }, {})).toEqual([]);
  });
});
