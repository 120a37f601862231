import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { openConnection } from '../bus/jetstream/connection.ts';
import { consumers, streams } from '../bus/jetstream/topology.ts';
import type { Located } from './locate.ts';

/** What nats-server says of the yard's streams and of the queue's consumer. */
export type StreamStates = {
  readonly server: string;
  readonly streams: readonly StreamState[];
  readonly queue: { readonly waiting: number; readonly underWay: number; readonly redelivered: number } | null;
};

export type StreamState = {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
};

const timeoutMs = 2_000;

export const readStreamStates = async ({ settings, nats }: Located): Promise<StreamStates> => {
  const { config, secrets } = settings;
  const nc = await openConnection({
    url: nats.url,
    user: config.nats.user,
    password: secrets.natsPassword,
    name: 'switchyard status',
    pingIntervalMs: config.nats.pingIntervalMs,
    connectTimeoutMs: timeoutMs,
  });
  try {
    const jsm = await jetstreamManager(nc, { timeout: timeoutMs });
    const found: StreamState[] = [];
    for await (const { config: declared, state } of jsm.streams.list())
      if (Object.values(streams).some((name) => name === declared.name))
        found.push({
          name: declared.name,
          first: state.first_seq,
          last: state.last_seq,
          messages: state.messages,
          bytes: state.bytes,
          maxBytes: declared.max_bytes,
        });
    return { server: `nats-server ${nc.info?.version ?? '?'}`, streams: found, queue: await queueState(jsm, found) };
  } finally {
    await nc.close();
  }
};

const queueState = async (jsm: JetStreamManager, found: readonly StreamState[]): Promise<StreamStates['queue']> => {
  if (!found.some(({ name }) => name === streams.requests)) return null;
  const info = await jsm.consumers.info(streams.requests, consumers.workers);
  return { waiting: info.num_pending, underWay: info.num_ack_pending, redelivered: info.num_redelivered };
};
