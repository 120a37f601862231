import { JetStreamApiError } from '@nats-io/jetstream';
import pino from 'pino';
import type { Bus } from '../bus/bus.ts';
import { openBus as openJetStreamBus } from '../bus/jetstream/connect.ts';
import { TransientError } from '../errors.ts';
import { unreachable } from './exit-codes.ts';
import { startHint, type Located } from './locate.ts';

/** How long a command waits for a server that does not answer. */
const connectTimeoutMs = 2_000;

/**
 * The bus of the running yard, as an onlooker: streams are used as they are found, none is made or changed. The bus is closed when `use` ends,
 * however it ends.
 */
export const withBus = async <T>(located: Located, use: (bus: Bus) => Promise<T>): Promise<T> => {
  const bus = await openBus(located);
  try {
    await requireLog(bus, located);
    return await use(bus);
  } finally {
    await bus.close();
  }
};

const streamNotFound = 10059;

const requireLog = async ({ log }: Bus, located: Located): Promise<void> => {
  try {
    await log.bounds();
  } catch (error) {
    if (!(error instanceof TransientError && error.cause instanceof JetStreamApiError && error.cause.code === streamNotFound)) throw error;
    throw unreachable(
      `NATS at ${located.nats.url} (${located.nats.source}) holds no event log of a yard; ${startHint(located, '--nats-url')}`,
      error,
    );
  }
};

const openBus = async (located: Located): Promise<Bus> => {
  const { settings, nats } = located;
  const { config, secrets } = settings;
  try {
    return await openJetStreamBus({
      url: nats.url,
      user: config.nats.user,
      password: secrets.natsPassword,
      name: 'switchyard command line',
      pingIntervalMs: config.nats.pingIntervalMs,
      connectTimeoutMs,
      config,
      streams: 'as-found',
      // What goes wrong is told by the command that meets it.
      logger: pino({ level: 'silent' }),
    });
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    throw unreachable(`expected NATS at ${nats.url} (${nats.source}), got no answer; ${startHint(located, '--nats-url')}`, error);
  }
};
