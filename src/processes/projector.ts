import pino from 'pino';
import { connectBus } from '../bus/jetstream/connect.ts';
import { loadSettings } from '../config/load.ts';
import { startProjector } from '../projections/start-projector.ts';
import { explainAndExit } from './explain.ts';
import { onShutdown, sayReady } from './shutdown.ts';
import { threadPoolSize } from './thread-pool.ts';

/**
 * The process that owns ClickHouse: it projects the log and answers SQL. Apart from the workers, so that the engine's work never delays a request.
 */
const main = async () => {
  const settings = loadSettings();
  const logger = pino({ level: settings.config.logLevel, base: { process: 'projector' } });
  const bus = await connectBus({ settings, name: `switchyard projector ${process.pid}`, logger });
  const projector = await startProjector({ bus, settings, logger, threadPoolSize });
  onShutdown(logger, async () => {
    await projector.close();
    await bus.close();
  });
  logger.info({ sql: projector.sqlUrl }, 'ready');
  sayReady(projector.sqlUrl === null ? {} : { sql: projector.sqlUrl });
};

main().catch(explainAndExit);
