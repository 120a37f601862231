import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Settings } from '../config/settings.ts';
import { subjects } from '../events/index.ts';
import type { Answering } from '../requests/answer.ts';
import { startHttpGateway } from './http-server.ts';
import { startNatsGateway } from './nats-gateway.ts';
import { startNatsWorker, type NatsWorker } from './nats-worker.ts';
import type { CheckReadiness, PartReadiness } from './readiness.ts';
import { startRemoteAnswering } from './remote-answering.ts';

/**
 * The ways into one process: HTTP and NATS when it serves, the queue when it answers. One that serves and does not answer itself reaches, through the queue,
 * those that do.
 */
export type GatewayParts = {
  readonly settings: Pick<Settings, 'config'>;
  readonly bus: Bus;
  /** Null in a process that does not answer requests itself. */
  readonly answering: Answering | null;
  /** Whether this process listens for HTTP and for requests over NATS. */
  readonly serves: boolean;
  /** Phase of each actor of this process. */
  readonly phases: () => Readonly<Record<string, string>>;
  readonly logger: Logger;
  readonly instance?: string;
  /** How long what is under way may take to end on closing. */
  readonly drainMs?: number;
};

export type Gateway = {
  /** Null when this process does not serve. */
  readonly httpUrl: string | null;
  /** Takes nothing more, then waits for what is under way, within the bound. */
  readonly close: () => Promise<void>;
};

type Closable = { readonly close: () => Promise<void> };

export const startGateway = async ({ settings, bus, answering, serves, phases, logger, ...options }: GatewayParts): Promise<Gateway> => {
  const { config } = settings;
  const shared = { config, bus, logger, instance: options.instance ?? randomUUID(), drainMs: options.drainMs ?? 10_000 };
  const takers: Closable[] = [];
  const remotes: Closable[] = [];
  const close = async () => {
    await Promise.all(takers.map((taker) => taker.close()));
    await Promise.all(remotes.map((remote) => remote.close()));
  };
  const startRemote = async (): Promise<Answering> => {
    const remote = await startRemoteAnswering(shared);
    remotes.push(remote);
    return remote;
  };
  try {
    const worker = answering === null ? null : await startNatsWorker({ ...shared, answering });
    if (worker !== null) takers.push(worker);
    if (!serves) return { httpUrl: null, close };

    takers.push(await startNatsGateway(shared));
    const readiness = createReadiness(bus, phases, worker);
    const http = await startHttpGateway({ ...shared, answering: answering ?? (await startRemote()), log: bus.log, readiness });
    takers.push(http);
    return { httpUrl: http.address, close };
  } catch (error) {
    await close();
    throw error;
  }
};

const askMs = 1_000;
const nothing = new Uint8Array();

/** Ready when requests that come now can be answered: the bus, the actors of this process, and somebody who takes from the queue. */
const createReadiness =
  (bus: Bus, phases: GatewayParts['phases'], worker: NatsWorker | null): CheckReadiness =>
  async () => {
    const status = bus.status().kind;
    const actors = Object.entries(phases()).map(([part, phase]) => ({ part, ready: phase === 'live', detail: phase }));
    return [{ part: 'bus', ready: status === 'connected', detail: status }, ...actors, await workers(bus, worker)];
  };

const workers = async (bus: Bus, own: NatsWorker | null): Promise<PartReadiness> => {
  if (own !== null) return { part: 'worker', ready: own.isTaking(), detail: own.isTaking() ? 'taking' : 'stopped' };
  try {
    const asked = await bus.messenger.ask(subjects.actor('worker'), nothing, { timeoutMs: askMs });
    return { part: 'worker', ready: asked.kind === 'answer', detail: asked.kind === 'answer' ? 'taking' : 'none answers' };
  } catch {
    return { part: 'worker', ready: false, detail: 'cannot be asked' };
  }
};
