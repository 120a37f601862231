import { startProjector } from '../../src/projections/start-projector.ts';
import { connectTestBus } from './nats.ts';
import { quiet } from './projection.ts';
import { testSettings } from './settings.ts';

/** A projector as a process of its own, for tests that kill it. Arguments: address of the nats-server, data folder. Says where it answers SQL over IPC. */
const [natsUrl = '', dataDir = ''] = process.argv.slice(2);

const bus = await connectTestBus(natsUrl);
const settings = testSettings({ dataDir, clickhouse: { port: 0 }, projector: { batchRows: 200, batchWaitMs: 5 } });
const projector = await startProjector({ bus, settings, logger: quiet });
process.send?.(projector.sqlUrl);
process.on('disconnect', () => process.exit(0));
