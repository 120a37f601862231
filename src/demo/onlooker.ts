import pino from 'pino';
import type { Bus } from '../bus/bus.ts';
import { openBus } from '../bus/jetstream/connect.ts';
import { loadSettings } from '../config/load.ts';
import type { PrivateYard } from './private-yard.ts';

/** A connection to a private yard that looks on and changes nothing. */
export const openOnlooker = (yard: PrivateYard): Promise<Bus> => {
  const { config } = loadSettings({ file: yard.configFile, env: {} });
  return openBus({
    url: yard.natsUrl,
    name: 'switchyard onlooker',
    pingIntervalMs: config.nats.pingIntervalMs,
    config,
    streams: 'as-found',
    logger: pino({ level: 'silent' }),
  });
};
