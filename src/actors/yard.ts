import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Subscription } from '../bus/messenger.ts';
import type { Settings } from '../config/settings.ts';
import { keyedHashWith } from '../domain/keyed-hash.ts';
import type { StateSnapshot } from '../domain/routing/snapshot.ts';
import { InvariantError } from '../errors.ts';
import type { Provider } from '../providers/provider.ts';
import type { Answering } from '../requests/answer.ts';
import { createAppender } from './appender.ts';
import { cacheCommandSchema, cacheConcern, type CacheReply } from './cache.ts';
import { startClosingOrphans } from './close-orphans.ts';
import type { Role } from './concern.ts';
import { createClock } from './clock.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { createLogClock } from './log-clock.ts';
import { serveLiveness } from './host-liveness.ts';
import type { CacheFace, KnownRequest, ModelAtWork, RouteReply, RouterFace } from './host-parts.ts';
import { activateConfigured } from './activate-policy.ts';
import { askRemote, serveActor } from './remote.ts';
import { createRequestHost } from './request-host.ts';
import type { RequestMemory } from './request-memory.ts';
import { routerCommandSchema, routerConcern, type RouterReply } from './router.ts';
import { createShadower } from './shadow.ts';
import { streamerConcern } from './streamer.ts';
import { supervise, type Supervised } from './supervisor.ts';
import { startGuardingCanary } from './guard-canary.ts';
import { startPacing } from './pace-budgets.ts';
import { startTakingFeedback } from './take-feedback.ts';

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
  readonly evidenceSource: () => Promise<StateSnapshot | null>;
  /** What ClickHouse remembers of requests that the router has forgotten. */
  readonly memory: RequestMemory;
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
  const delivery = await createDelivery({ log, logger, intervalMs: deliveryIntervalMs, onLost: options.onLost });
  const clock = createLogClock({ hostMs: createClock(), logger, onSetBack: options.onLost });
  const append = createAppender({ log, delivery, clock, logger });
  const parts: Started = { actors: [], subscriptions: [], closers: [] };
  const close = () => closeParts(parts, delivery);
  const keep = <Command, Reply>(actor: Supervised<Command, Reply>): Supervised<Command, Reply> => {
    parts.actors.push(actor);
    return actor;
  };

  try {
    const streamer = roles.has('streamer') ? keep(supervise(streamerConcern(config.requests), { delivery, logger })) : null;
    if (streamer !== null) parts.subscriptions.push(serveLiveness(messenger, instance, streamer));

    let activate: () => Promise<void> = async () => undefined;
    let router: RouterFace = {
      route: async (question) => routeOf((await askRemote(messenger, 'router', { type: 'route', question })) as RouterReply),
      find: async (tenant, requestId) =>
        knownOf((await askRemote(messenger, 'router', { type: 'find', tenant, requestId })) as RouterReply),
    };
    if (roles.has('router')) {
      const actor = keep(
        supervise(routerConcern({ config, log, evidenceSource: options.evidenceSource, memory: options.memory, logger }), {
          delivery,
          logger,
        }),
      );
      router = {
        route: async (question) => routeOf(actor.ask({ type: 'route', question })),
        find: async (tenant, requestId) => knownOf(actor.ask({ type: 'find', tenant, requestId })),
      };
      parts.subscriptions.push(serveActor(messenger, 'router', routerCommandSchema, actor.ask));
      const feedback = startTakingFeedback({
        instance,
        config,
        append,
        delivery,
        dead: bus.dead,
        memory: options.memory,
        logger,
        router: actor,
      });
      const orphans = startClosingOrphans({ instance, config, append, bus, logger, router: actor, streamer });
      const upkeep = { instance, append, delivery, router: actor, logger, nowMs: Date.now };
      const pacing = startPacing(upkeep);
      const guarding = startGuardingCanary(upkeep);
      parts.closers.push(feedback.close, orphans.close, pacing.close, guarding.close);
      activate = () =>
        activateConfigured({
          instance,
          config,
          append,
          delivery,
          router: actor,
          oldest: async () => (await log.bounds()).first,
          nowMs: Date.now,
          untilMs: Date.now() + liveWithinMs,
        });
    }

    let cache: CacheFace = { ask: async (command) => (await askRemote(messenger, 'cache', command)) as CacheReply };
    if (roles.has('cache')) {
      const actor = keep(supervise(cacheConcern(config.cache), { delivery, logger }));
      cache = { ask: async (command) => actor.ask(command) };
      parts.subscriptions.push(serveActor(messenger, 'cache', cacheCommandSchema, actor.ask));
    }

    const models = modelsAtWork(options);
    const shadower = streamer === null ? null : createShadower({ instance, config, models, append, log, logger, nowMs: createClock() });
    if (shadower !== null) parts.closers.push(shadower.close);

    const host =
      streamer === null
        ? null
        : createRequestHost({
            instance,
            config,
            router,
            cache,
            streamer,
            shadower,
            models,
            append,
            log,
            answers: bus.answers,
            messenger,
            delivery,
            logger,
            nowMs: createClock(),
            logNowMs: clock.nowMs,
            random: Math.random,
            keyedHash: keyedHashWith(secrets.hashKey),
          });

    const stopWatching = bus.onStatus((status) => {
      for (const actor of parts.actors) actor.connection(status.kind === 'connected' ? 'restored' : 'lost');
    });
    parts.closers.push(async () => {
      stopWatching();
    });
    await Promise.all([...parts.actors.map((actor) => actor.live(liveWithinMs)), ...parts.subscriptions.map(({ ready }) => ready)]);
    // Before the first decision that names it.
    await activate();

    return {
      answering: host,
      phases: () => Object.fromEntries(parts.actors.map((actor) => [actor.role, actor.phase()])),
      sequence: delivery.position,
      drain: async (timeoutMs) => {
        for (const actor of parts.actors) actor.drain();
        const [left] = await Promise.all([host?.idle(timeoutMs) ?? 0, shadower?.drain(timeoutMs)]);
        return left;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

type Started = {
  readonly actors: Supervised<never, unknown>[];
  readonly subscriptions: Subscription[];
  readonly closers: (() => Promise<void>)[];
};

const closeParts = async ({ actors, subscriptions, closers }: Started, delivery: Delivery): Promise<void> => {
  await Promise.allSettled(closers.map((closer) => closer()));
  await Promise.allSettled(subscriptions.map((subscription) => subscription.close()));
  for (const actor of actors) actor.stop();
  await delivery.close();
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
