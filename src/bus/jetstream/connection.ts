import { setTimeout as sleep } from 'node:timers/promises';
import { connect, errors, hasWsProtocol, wsconnect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { PermanentError, TransientError } from '../../errors.ts';
import type { BusStatus } from '../bus.ts';

/**
 * One connection that is made again for ever, with jitter, and its status. A server that froze is noticed by its missing pongs
 * after two to three times `pingIntervalMs`.
 */
export type ConnectionState = {
  readonly status: () => BusStatus;
  readonly onStatus: (listener: (status: BusStatus) => void) => () => void;
};

export type ConnectionSettings = {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly name: string;
  readonly pingIntervalMs: number;
  /** How long the first connection is tried. */
  readonly connectTimeoutMs?: number;
};

const defaultConnectTimeoutMs = 10_000;
const dialTimeoutMs = 5_000;
const firstPauseMs = 100;
const reconnectMs = 100;
const reconnectJitterMs = 300;
const unansweredPings = 2;
const longestPauseMs = 2_000;

export const openConnection = async (settings: ConnectionSettings): Promise<NatsConnection> => {
  const untilMs = Date.now() + (settings.connectTimeoutMs ?? defaultConnectTimeoutMs);
  const options: ConnectionOptions = {
    servers: settings.url,
    name: settings.name,
    ...(settings.user === undefined ? {} : { user: settings.user, pass: settings.password ?? '' }),
    pingInterval: settings.pingIntervalMs,
    maxPingOut: unansweredPings,
    timeout: dialTimeoutMs,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: () => reconnectMs + Math.random() * reconnectJitterMs,
    // A stack for each request, in case it fails, is a third of the cost of the request.
    noAsyncTraces: true,
  };
  for (;;) {
    try {
      return await (hasWsProtocol(options) ? wsconnect(options) : connect(options));
    } catch (error) {
      const seen = error instanceof Error ? error.message : String(error);
      const what = `expected a NATS server at ${withoutPassword(settings.url)}, got: ${seen}`;
      if (error instanceof errors.AuthorizationError) throw new PermanentError('bus-unauthorized', what, { cause: error });
      if (Date.now() + firstPauseMs > untilMs) throw new TransientError('bus-unreachable', what, firstPauseMs, { cause: error });
      await sleep(firstPauseMs);
    }
  }
};

export const watchConnection = (nc: NatsConnection, logger: Logger): ConnectionState => {
  const listeners = new Set<(status: BusStatus) => void>();
  let status: BusStatus = { kind: 'connected' };

  const become = (next: BusStatus) => {
    if (next.kind === status.kind) return;
    status = next;
    for (const listener of [...listeners]) listener(next);
  };

  const watch = async () => {
    for await (const change of nc.status()) {
      switch (change.type) {
        case 'disconnect':
        case 'staleConnection':
        case 'forceReconnect':
          if (status.kind === 'connected') logger.warn({ change: change.type, server: nc.getServer() }, 'the connection to NATS broke');
          become({ kind: 'reconnecting', sinceMs: Date.now() });
          break;
        case 'reconnect':
          logger.info({ server: nc.getServer() }, 'connected to NATS again');
          become({ kind: 'connected' });
          break;
        case 'error':
          logger.error({ err: change.error }, 'NATS refused something');
          break;
        case 'slowConsumer':
        case 'ldm':
          logger.warn({ change: change.type }, 'NATS reports trouble');
          break;
        case 'close':
        case 'ping':
        case 'reconnecting':
        case 'update':
          break;
      }
    }
  };
  watch()
    .catch((error: unknown) => {
      logger.error({ err: error }, 'the status of the NATS connection cannot be watched any longer');
    })
    .finally(() => {
      become({ kind: 'closed' });
    });

  return {
    status: () => status,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

export const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

const drainMs = 5_000;

/** Lets what was published reach the server, within a bound; without a connection there is nobody to wait for. */
export const closeConnection = async (nc: NatsConnection, state: ConnectionState): Promise<void> => {
  if (nc.isClosed()) return;
  if (state.status().kind === 'connected') {
    const bound = new AbortController();
    const drained = nc.drain().catch(() => undefined);
    await Promise.race([drained, sleep(drainMs, undefined, { signal: bound.signal }).catch(() => undefined)]);
    bound.abort();
  }
  if (!nc.isClosed()) await nc.close();
};

/** Waits that long, or, without a connection, until there is one or the signal aborts (looking again at least every two seconds). */
export const pauseOrConnect = async (state: ConnectionState, pauseMs: number, signal?: AbortSignal): Promise<void> => {
  const wake = new AbortController();
  const isDown = state.status().kind !== 'connected';
  const stop = state.onStatus(() => {
    if (isDown) wake.abort();
  });
  const signals = signal === undefined ? [wake.signal] : [wake.signal, signal];
  const ms = isDown ? longestPauseMs : pauseMs * (0.5 + Math.random());
  await sleep(ms, undefined, { signal: AbortSignal.any(signals) }).catch(() => undefined);
  stop();
};
