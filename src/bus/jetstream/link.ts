import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Acknowledged } from './acknowledged.ts';
import type { ConnectionState } from './connection.ts';

/** What the parts of the bus share: one connection and what hangs on it. */
export type Link = {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly acknowledged: Acknowledged;
  readonly state: ConnectionState;
  readonly logger: Logger;
  /** Largest message, headers included, that the server takes. */
  readonly maxPayloadBytes: () => number;
  /** A consumer that says nothing for twice this long is taken for stalled. */
  readonly heartbeatMs: number;
  /** For what is stored outside the event log, and for questions to the server. */
  readonly timeoutMs: number;
};
