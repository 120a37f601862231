import path from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { ClickhouseAddress } from './clickhouse.ts';

/** Where the projector writes: a server when the configuration names one, else the engine in its own process and a folder of its own. */
export const writeAddress = ({ config, secrets }: Settings): ClickhouseAddress => {
  const { url, user, database } = config.clickhouse;
  return url === undefined
    ? { kind: 'embedded', path: path.join(config.dataDir, 'clickhouse'), database }
    : { kind: 'server', url, database, user, password: secrets.clickhousePassword };
};

/** Where everybody else reads: the same server, or the read-only interface of the projector. */
export const readAddress = ({ config, secrets }: Settings): Extract<ClickhouseAddress, { kind: 'server' }> => {
  const { url, user, database, host, port } = config.clickhouse;
  return url === undefined
    ? { kind: 'server', url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, database }
    : { kind: 'server', url, database, user, password: secrets.clickhousePassword };
};
