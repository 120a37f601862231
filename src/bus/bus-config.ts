import type { Config } from '../config/schema.ts';

/** The part of the configuration that shapes streams and queues. */
export type BusConfig = {
  readonly log: Pick<Config['log'], 'maxAgeDays' | 'maxBytes' | 'duplicateWindowSeconds' | 'replicas' | 'appendTimeoutMs'>;
  readonly requests: Pick<
    Config['requests'],
    'queueBytes' | 'queueAgeSeconds' | 'ackWaitSeconds' | 'maxDeliveries' | 'answersKeptSeconds' | 'answersKeptBytes'
  >;
};
