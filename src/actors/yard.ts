import { createHmac, createSecretKey } from 'node:crypto';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import type { Subscription } from '../bus/messenger.ts';
import type { Settings } from '../config/settings.ts';
import type { EvidenceAt } from '../domain/routing/evidence.ts';
import { InvariantError } from '../errors.ts';
import { idempotencyIds } from '../events/index.ts';
import type { Provider } from '../providers/provider.ts';
import type { Answering } from '../requests/answer.ts';
import { createAppender } from './appender.ts';
import { cacheCommandSchema, cacheConcern, type CacheReply } from './cache.ts';
import { startCaretaker } from './caretaker.ts';
import type { Role } from './concern.ts';
import { createClock } from './clock.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import { serveLiveness } from './host-liveness.ts';
import type { CacheFace, KnownRequest, ModelAtWork, RouteReply, RouterFace } from './host-parts.ts';
import { policyActivatedEvent, policyOf } from './policy.ts';
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
  const parts: Started = { actors: [], subscriptions: [], closers: [] };
  const close = () => closeParts(parts, delivery);
  const keep = <Command, Reply>(actor: Supervised<Command, Reply>): Supervised<Command, Reply> => {
    parts.actors.push(actor);
    return actor;
  };

  try {
    const streamer = roles.has('streamer') ? keep(supervise(streamerConcern(config.requests), { delivery, logger })) : null;
    if (streamer !== null) parts.subscriptions.push(serveLiveness(messenger, instance, streamer));

    let router: RouterFace = {
      route: async (question) => routeOf((await askRemote(messenger, 'router', { type: 'route', question })) as RouterReply),
      find: async (tenant, requestId) =>
        knownOf((await askRemote(messenger, 'router', { type: 'find', tenant, requestId })) as RouterReply),
    };
    if (roles.has('router')) {
      // Before the first decision that names it.
      await append([policyActivatedEvent(config, `switchyard/${instance}`, Date.now())], {
        idempotencyId: idempotencyIds.policy(policyOf(config).version),
        untilMs: Date.now() + liveWithinMs,
      });
      const actor = keep(supervise(routerConcern({ config, log, evidenceSource: options.evidenceSource, logger }), { delivery, logger }));
      router = {
        route: async (question) => routeOf(actor.ask({ type: 'route', question })),
        find: async (tenant, requestId) => knownOf(actor.ask({ type: 'find', tenant, requestId })),
      };
      parts.subscriptions.push(serveActor(messenger, 'router', routerCommandSchema, actor.ask));
      const caretaker = startCaretaker({ instance, config, append, delivery, bus, logger, router: actor, streamer });
      parts.closers.push(caretaker.close);
    }

    let cache: CacheFace = { ask: async (command) => (await askRemote(messenger, 'cache', command)) as CacheReply };
    if (roles.has('cache')) {
      const actor = keep(supervise(cacheConcern(config.cache), { delivery, logger }));
      cache = { ask: async (command) => actor.ask(command) };
      parts.subscriptions.push(serveActor(messenger, 'cache', cacheCommandSchema, actor.ask));
    }

    const host =
      streamer === null
        ? null
        : createRequestHost({
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
            nowMs: createClock(),
            random: Math.random,
            keyedHash: (text) => createHmac('sha256', hashKey).update(text).digest('hex').slice(0, 32),
          });

    const stopWatching = bus.onStatus((status) => {
      for (const actor of parts.actors) actor.connection(status.kind === 'connected' ? 'restored' : 'lost');
    });
    parts.closers.push(async () => {
      stopWatching();
    });
    await Promise.all([...parts.actors.map((actor) => actor.live(liveWithinMs)), ...parts.subscriptions.map(({ ready }) => ready)]);

    return {
      answering: host,
      phases: () => Object.fromEntries(parts.actors.map((actor) => [actor.role, actor.phase()])),
      sequence: delivery.position,
      drain: async (timeoutMs) => {
        for (const actor of parts.actors) actor.drain();
        return host === null ? 0 : host.idle(timeoutMs);
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
