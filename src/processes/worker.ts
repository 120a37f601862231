import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import pino from 'pino';
import { roles as allRoles, type Role } from '../actors/concern.ts';
import { startYard } from '../actors/yard.ts';
import { connectBus } from '../bus/jetstream/connect.ts';
import { loadSettings, requireApiKeys } from '../config/load.ts';
import { startGateway } from '../gateway/gateway.ts';
import { closeProviders, createProviders } from '../providers/registry.ts';
import { evidenceSourceOf } from './evidence-source.ts';
import { explainAndExit } from './explain.ts';
import { requestMemoryOf } from './request-memory.ts';
import { agreeOnHashKey } from './shared-hash-key.ts';
import { onShutdown, sayReady } from './shutdown.ts';

/**
 * A process that takes requests: gateway, router, cache and streamer together, or the roles that its first argument names (`router,cache`).
 * Order of start: bus, actors, gateway; the other way round at the end, so that what is under way is finished before its ground goes.
 */
const drainMs = 20_000;

const rolesOf = (argument: string | undefined): ReadonlySet<Role> => {
  const named = (argument ?? allRoles.join(',')).split(',');
  return new Set(allRoles.filter((role) => named.includes(role)));
};

const main = async () => {
  const loaded = loadSettings();
  requireApiKeys(loaded);
  const { config } = loaded;
  const roles = rolesOf(process.argv[2]);
  const instance = `${hostname().slice(0, 40)}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const logger = pino({ level: config.logLevel, base: { process: 'worker', instance, roles: [...roles].join(',') } });

  const onLost = (reason: string) => {
    logger.fatal({ reason }, 'the log was cut or replaced; starting again from what it holds');
    process.exit(1);
  };
  const bus = await connectBus({ settings: loaded, name: `switchyard worker ${instance}`, logger });
  const hashKey = await agreeOnHashKey({ agreement: bus.hashKey, settings: loaded, logger });
  const settings = { ...loaded, secrets: { ...loaded.secrets, hashKey } };
  const providers = await createProviders(settings);
  const yard = await startYard({
    instance,
    settings,
    roles,
    bus,
    providers,
    logger,
    evidenceSource: evidenceSourceOf(settings, bus.log, logger),
    memory: requestMemoryOf(settings, bus.log, logger),
    onLost,
  });
  const gateway = await startGateway({
    settings,
    instance,
    bus,
    answering: yard.answering,
    serves: roles.has('gateway'),
    phases: yard.phases,
    logger,
  });

  onShutdown(logger, async () => {
    await gateway.close();
    const left = await yard.drain(drainMs);
    if (left > 0) logger.warn({ left }, 'requests were still under way');
    await yard.close();
    await closeProviders(providers);
    await bus.close();
  });
  logger.info({ http: gateway.httpUrl }, 'ready');
  sayReady(gateway.httpUrl === null ? {} : { http: gateway.httpUrl });
};

main().catch(explainAndExit);
