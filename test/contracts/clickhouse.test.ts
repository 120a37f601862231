import { openClickhouse } from '../../src/projections/clickhouse.ts';
import { startClickhouseServer } from '../support/clickhouse-server.ts';
import { testFolder } from '../support/projection.ts';
import { clickhouseContract } from './clickhouse.ts';

const options = { requestTimeoutMs: 30_000 };

clickhouseContract('embedded engine', async () => {
  const folder = await testFolder();
  return { open: () => openClickhouse({ kind: 'embedded', path: folder.path, database: 'contract' }, options), tearDown: folder.remove };
});

// A real engine in a process of its own, spoken to over HTTP by the official client, as CLICKHOUSE_URL has it.
clickhouseContract('server over HTTP', async () => {
  const server = await startClickhouseServer();
  return { open: () => openClickhouse({ kind: 'server', url: server.url, database: 'contract' }, options), tearDown: server.stop };
});
