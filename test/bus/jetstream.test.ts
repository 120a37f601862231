import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { streams } from '../../src/bus/jetstream/topology.ts';
import { describeEventLog } from '../contracts/event-log.ts';
import { describeMessenger } from '../contracts/messenger.ts';
import { describeStores } from '../contracts/stores.ts';
import { describeWorkQueue } from '../contracts/work-queue.ts';
import { connectTestBus, startTestNats, testBusConfig, type TestNats } from '../support/nats.ts';

let nats: TestNats;
let raw: NatsConnection;
let bus: Bus | undefined;

beforeAll(async () => {
  nats = await startTestNats();
  raw = await connect({ servers: nats.url });
});
afterAll(async () => {
  await raw.close();
  await nats.stop();
});

const close = async () => {
  await bus?.close();
  bus = undefined;
};

/** A bus on streams that were made just now. */
const fresh = async (ackWaitSeconds = testBusConfig.requests.ackWaitSeconds): Promise<Bus> => {
  await close();
  const jsm = await jetstreamManager(raw);
  for (const stream of Object.values(streams)) await jsm.streams.delete(stream).catch(() => undefined);
  return (bus = await connectTestBus(nats.url, { config: { ...testBusConfig, requests: { ...testBusConfig.requests, ackWaitSeconds } } }));
};

const inject = async (subject: string, body: Uint8Array): Promise<number> => {
  const answer: { readonly seq: number } = (await raw.request(subject, body, { timeout: 5_000 })).json();
  return answer.seq;
};

describeEventLog('JetStream', async () => ({ log: (await fresh()).log, inject }), close);
describeWorkQueue('JetStream', fresh, close);
describeMessenger('JetStream', async () => (await fresh()).messenger, close);
describeStores('JetStream', fresh, close);
