import { jetstreamManager } from '@nats-io/jetstream';
import type { Logger } from 'pino';
import type { BusConfig } from '../bus-config.ts';
import type { Settings } from '../../config/settings.ts';
import type { Bus } from '../bus.ts';
import { createAcknowledged } from './acknowledged.ts';
import { createAgreement } from './agreement.ts';
import { createAnswerStore } from './answer-store.ts';
import { applyTopology } from './apply-topology.ts';
import { closeConnection, openConnection, watchConnection, withoutPassword, type ConnectionSettings } from './connection.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createEventLog } from './event-log.ts';
import { asBusError } from './failures.ts';
import type { Link } from './link.ts';
import { createMessenger } from './messenger.ts';
import { agreementSubject, topologyOf } from './topology.ts';
import { createWorkQueue } from './work-queue.ts';

export type BusSettings = ConnectionSettings & {
  readonly config: BusConfig;
  readonly logger: Logger;
  /** make: as the configuration declares them, the default. as-found: for an onlooker, who changes nothing. */
  readonly streams?: 'make' | 'as-found';
};

/** The bus as the configuration names it: `nats.url`, or the server of the yard itself. */
export const connectBus = ({
  settings,
  name,
  logger,
}: {
  readonly settings: Settings;
  readonly name: string;
  readonly logger: Logger;
}): Promise<Bus> => {
  const { config, secrets } = settings;
  const { nats } = config;
  return openBus({
    url: nats.url ?? `nats://${nats.host}:${nats.port}`,
    user: nats.user,
    password: secrets.natsPassword,
    name,
    pingIntervalMs: nats.pingIntervalMs,
    config,
    logger,
  });
};

const longestHeartbeatMs = 10_000;
const shortestHeartbeatMs = 500;

/**
 * Connects, and makes the streams of the yard if need be. Throws TransientError `bus-unreachable` when there is no server within the connect timeout, PermanentError
 * `bus-unauthorized` when it wants other credentials and `topology` when the streams cannot be made as declared.
 */
export const openBus = async (settings: BusSettings): Promise<Bus> => {
  const { config, logger } = settings;
  const nc = await openConnection(settings);
  try {
    const jsm = await jetstreamManager(nc, { timeout: config.log.appendTimeoutMs });
    const topology = topologyOf(config);
    if (settings.streams !== 'as-found') await applyTopology(jsm, topology);

    const state = watchConnection(nc, logger);
    const acknowledged = createAcknowledged(nc, state);
    let maxPayloadBytes = nc.info?.max_payload ?? 0;
    const link: Link = {
      nc,
      jsm,
      acknowledged,
      state,
      logger,
      // Unknown while there is no connection: then the last one counts.
      maxPayloadBytes: () => (maxPayloadBytes = nc.info?.max_payload ?? maxPayloadBytes),
      heartbeatMs: Math.max(shortestHeartbeatMs, Math.min(settings.pingIntervalMs, longestHeartbeatMs)),
      timeoutMs: config.log.appendTimeoutMs,
    };
    const dead = createDeadLetters(link);
    return {
      log: createEventLog(link, { appendTimeoutMs: config.log.appendTimeoutMs }),
      requests: createWorkQueue(link, topology, dead),
      dead,
      answers: createAnswerStore(link),
      hashKey: createAgreement(link, agreementSubject('hash-key')),
      messenger: createMessenger(link),
      status: state.status,
      onStatus: state.onStatus,
      close: async () => {
        await closeConnection(nc, state);
        acknowledged.close();
      },
    };
  } catch (error) {
    await nc.close();
    throw asBusError(error, `setting up JetStream at ${withoutPassword(settings.url)}`);
  }
};
