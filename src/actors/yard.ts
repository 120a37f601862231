import { createHmac, createSecretKey } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus, BusStatus } from '../bus/bus.ts';
import type { Subscription } from '../bus/messenger.ts';
import type { Settings } from '../config/settings.ts';
import type { EvidenceAt } from '../domain/routing/evidence.ts';
import { InvariantError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Answering } from '../requests/answer.ts';
import { createAppender } from './appender.ts';
import { cacheCommandSchema, cacheConcern, type CacheReply } from './cache.ts';
import { startCaretaker } from './caretaker.ts';
import type { Role } from './concern.ts';
import { createDelivery } from './delivery.ts';
import { serveLiveness } from './host-liveness.ts';
import type { CacheFace, HostParts, KnownRequest, ModelAtWork, RouteReply, RouterFace } from './host-parts.ts';
import { askRemote, serveActor } from './remote.ts';
import { createRequestHost } from './request-host.ts';
import { routerCommandSchema, routerConcern, type RouterReply } from './router.ts';
import { streamerConcern } from './streamer.ts';
import { supervise, type Supervised } from './supervisor.ts';

/**
 * The actors of one process: those of its roles live here, the others are reached over NATS through the same faces.
 */
export type Yard = {
  /** Null in a process without a streamer. */
  readonly answering: Answering | null;
  /** Phase of each actor of this process. */
  readonly phases: () => Readonly<Record<string, string>>;
  readonly sequence: () => number;
  /** Begins nothing new and waits for what is under way; returns how many requests were left. */
  readonly drain: (timeoutMs: number) => Promise<number>;
  readonly close: () => Promise<void>;
};

export type YardOptions = {
  readonly instance: string;
  readonly settings: Settings;
  readonly roles: ReadonlySet<Role>;
  readonly bus: Bus;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly logger: Logger;
  /** The evidence that ClickHouse holds, or null when it cannot be had: then the log alone is read. */
  readonly evidenceSource: () => Promise<EvidenceAt | null>;
  /** The log was cut or replaced under this process: it has to start again. */
  readonly onLost: (reason: string) => void;
};

/** How often the log is looked at for entries of other processes, ms. */
const deliveryIntervalMs = 50;
const liveWithinMs = 120_000;

export const startYard = async (options: YardOptions): Promise<Yard> => {
  const { bus, settings, roles, instance, logger } = options;
  const { config, secrets } = settings;
  const { messenger, log } = bus;
  const hashKey = createSecretKey(secrets.hashKey);
  const delivery = await createDelivery({ log, logger, intervalMs: deliveryIntervalMs, onLost: options.onLost });
  const append = createAppender(log, delivery);
  const subscriptions: Subscription[] = [];
  const supervised: Supervised<never, unknown>[] = [];
  const closers: (() => Promise<void>)[] = [];
  const stops: (() => void)[] = [];

  const keep = <Command, Reply>(actor: Supervised<Command, Reply>): Supervised<Command, Reply> => {
    supervised.push(actor);
    return actor;
  };

  let router: RouterFace = {
    route: async (question) => routeOf((await askRemote(messenger, 'router', { type: 'route', question })) as RouterReply),
    find: async (tenant, requestId) => knownOf((await askRemote(messenger, 'router', { type: 'find', tenant, requestId })) as RouterReply),
  };
  if (roles.has('router')) {
    const actor = keep(supervise(routerConcern({ config, log, evidenceSource: options.evidenceSource, logger }), { delivery, logger }));
    router = {
      route: async (question) => routeOf(actor.ask({ type: 'route', question })),
      find: async (tenant, requestId) => knownOf(actor.ask({ type: 'find', tenant, requestId })),
    };
    subscriptions.push(serveActor(messenger, 'router', routerCommandSchema, actor.ask));
    const caretaker = startCaretaker({ instance, config, append, delivery, bus, logger, router: actor });
    closers.push(caretaker.close);
  }

  let cache: CacheFace = { ask: async (command) => (await askRemote(messenger, 'cache', command)) as CacheReply };
  if (roles.has('cache')) {
    const actor = keep(supervise(cacheConcern(config.cache), { delivery, logger }));
    cache = { ask: async (command) => actor.ask(command) };
    subscriptions.push(serveActor(messenger, 'cache', cacheCommandSchema, actor.ask));
  }

  let host: ReturnType<typeof createRequestHost> | null = null;
  if (roles.has('streamer')) {
    const streamer = keep(supervise(streamerConcern(config.requests), { delivery, logger }));
    subscriptions.push(serveLiveness(messenger, instance, streamer));
    const parts: HostParts = {
      instance,
      config,
      router,
      cache,
      streamer,
      models: modelsAtWork(options),
      append,
      log,
      answers: bus.answers,
      messenger,
      delivery,
      logger,
      nowMs: () => performance.timeOrigin + performance.now(),
      random: Math.random,
      keyedHash: (text) => createHmac('sha256', hashKey).update(text).digest('hex').slice(0, 32),
    };
    host = createRequestHost(parts);
  }

  stops.push(
    bus.onStatus((status: BusStatus) => {
      for (const actor of supervised) actor.connection(status.kind === 'connected' ? 'restored' : 'lost');
    }),
  );
  await Promise.all([...supervised.map((actor) => actor.live(liveWithinMs)), ...subscriptions.map((subscription) => subscription.ready)]);

  return {
    answering: host,
    phases: () => Object.fromEntries(supervised.map((actor) => [actor.role, actor.phase()])),
    sequence: delivery.position,
    drain: async (timeoutMs) => {
      for (const actor of supervised) actor.drain();
      return host === null ? 0 : host.idle(timeoutMs);
    },
    close: async () => {
      for (const stop of stops) stop();
      await Promise.allSettled(closers.map((close) => close()));
      await Promise.allSettled(subscriptions.map((subscription) => subscription.close()));
      for (const actor of supervised) actor.stop();
      await delivery.close();
    },
  };
};

const routeOf = (reply: RouterReply): RouteReply => {
  if (reply.kind !== 'route') throw new InvariantError(`router: expected a route, got ${reply.kind}`);
  return reply.route;
};

const knownOf = (reply: RouterReply): KnownRequest | null => {
  if (reply.kind !== 'found') throw new InvariantError(`router: expected what is known of a request, got ${reply.kind}`);
  return reply.known;
};

const modelsAtWork = ({ settings, providers }: YardOptions): ReadonlyMap<string, ModelAtWork> =>
  new Map(
    settings.config.models.map((config) => {
      const provider = providers.get(config.id);
      if (provider === undefined) throw new TypeError(`model ${config.id} has no provider`);
      return [config.id, { config, provider }];
    }),
  );
