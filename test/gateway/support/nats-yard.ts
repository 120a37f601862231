import { jetstreamManager } from '@nats-io/jetstream';
import { connect, createInbox, headers as natsHeaders, type Msg, type NatsConnection } from '@nats-io/transport-node';
import pino from 'pino';
import { onTestFinished } from 'vitest';
import type { Bus } from '../../../src/bus/bus.ts';
import { streams } from '../../../src/bus/jetstream/topology.ts';
import type { Config } from '../../../src/config/schema.ts';
import { startNatsGateway, type NatsGateway } from '../../../src/gateway/nats-gateway.ts';
import { natsMessageSchema, type NatsMessage } from '../../../src/gateway/nats-messages.ts';
import { startNatsWorker, type NatsWorker } from '../../../src/gateway/nats-worker.ts';
import { connectTestBus, type TestNats } from '../../support/nats.ts';
import { eventually } from '../../support/eventually.ts';
import { gatewayConfig } from './gateway-config.ts';
import { scriptedAnswering, threeWords, type ScriptedAnswering } from './scripted-answering.ts';

/** Limits for tests: redelivery after five seconds, which a busy machine does not take for a death; three deliveries. */
export const natsConfig = (requests: object = {}): Config =>
  gatewayConfig({ requests: { ackWaitSeconds: 5, maxDeliveries: 3, ...requests } });

const logger = pino({ level: process.env.TEST_LOG ?? 'silent' });

/** A bus whose queue is empty: what an earlier test left behind is taken out. */
export const openTestBus = async (nats: TestNats, config: Config): Promise<Bus> => {
  const bus = await connectTestBus(nats.url, { config });
  onTestFinished(bus.close);
  const nc = await connect({ servers: nats.url });
  await (await jetstreamManager(nc)).streams.purge(streams.requests);
  await nc.close();
  return bus;
};

export const startGatewayOn = async (bus: Bus, config: Config): Promise<NatsGateway> => {
  const gateway = await startNatsGateway({ config, bus, logger, instance: 'test', drainMs: 60_000 });
  onTestFinished(gateway.close);
  return gateway;
};

export const startWorkerOn = async (
  bus: Bus,
  config: Config,
  answering: ScriptedAnswering = scriptedAnswering(threeWords),
  drainMs = 60_000,
): Promise<NatsWorker & { readonly answering: ScriptedAnswering }> => {
  const worker = await startNatsWorker({ config, bus, answering, logger, drainMs });
  onTestFinished(worker.close);
  return { ...worker, answering };
};

/** A plain NATS client, as a caller has it. */
export type TestCaller = {
  readonly nc: NatsConnection;
  /** Everything that comes on this subject, in order. */
  readonly inbox: string;
  readonly received: Received[];
  readonly publish: (
    subject: string,
    body: unknown,
    options?: { readonly headers?: Record<string, string>; readonly reply?: string },
  ) => void;
  /** Until so many answers have ended: their messages. That a request was accepted is said by another one, and may come in between or after. */
  readonly ended: (count?: number) => Promise<readonly Received[]>;
};

export type Received = { readonly message: NatsMessage; readonly headers: Record<string, string> };

export const openCaller = async (nats: TestNats): Promise<TestCaller> => {
  const nc = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 20, reconnectJitter: 10 });
  onTestFinished(() => nc.close());
  const inbox = createInbox();
  const received: Received[] = [];
  nc.subscribe(inbox, {
    callback: (_error, message) => {
      received.push({ message: natsMessageSchema.parse(message.json()), headers: headersOf(message) });
    },
  });
  await nc.flush();
  const isEnd = ({ message }: Received) => message.type === 'final' || message.type === 'error';
  return {
    nc,
    inbox,
    received,
    publish: (subject, body, { headers = {}, reply } = {}) => {
      nc.publish(subject, bytesOf(body), { headers: toHeaders(headers), ...(reply === undefined ? {} : { reply }) });
    },
    ended: async (count = 1) => {
      await eventually(() => received.filter(isEnd).length >= count, { what: 'the answer to end', everyMs: 5 });
      return received.filter(({ message }) => message.type !== 'accepted');
    },
  };
};

export const bytesOf = (body: unknown): Uint8Array =>
  body instanceof Uint8Array ? body : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));

export const toHeaders = (record: Record<string, string>) => {
  const made = natsHeaders();
  for (const [name, value] of Object.entries(record)) made.set(name, value);
  return made;
};

export const headersOf = (message: Msg): Record<string, string> =>
  Object.fromEntries([...(message.headers?.keys() ?? [])].map((name) => [name, message.headers?.get(name) ?? '']));
