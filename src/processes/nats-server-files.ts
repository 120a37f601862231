import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/schema.ts';

/** The files of a nats-server of our own, all in its data folder: its configuration, what it says, and the port that it took. */
type ServerShape = { readonly dataDir: string; readonly port: number; readonly durability: Config['log']['durability'] };

export const filesIn = (dataDir: string) => ({
  pid: path.join(dataDir, 'nats-server.pid'),
  config: path.join(dataDir, 'nats-server.conf'),
  log: path.join(dataDir, 'nats-server.log'),
  errors: path.join(dataDir, 'nats-server.err'),
  ports: path.join(dataDir, 'ports'),
});

/** What the server does with a message before it acknowledges it; `os` leaves it to the server's own two minutes. */
const syncInterval = { always: 'always', second: '1s', os: '2m' } as const;

export const configurationOf = ({ dataDir, port, durability }: ServerShape, host: string): string => `# Written at each start.
server_name: switchyard
host: ${JSON.stringify(host)}
port: ${port === 0 ? -1 : port}
ports_file_dir: ${JSON.stringify(filesIn(dataDir).ports)}
max_payload: 8MB
log_file: ${JSON.stringify(filesIn(dataDir).log)}
logfile_size_limit: 16MB
logfile_max_num: 3
jetstream {
  store_dir: ${JSON.stringify(dataDir)}
  sync_interval: ${JSON.stringify(syncInterval[durability])}
}
`;

/** Once it listens, the server writes its port into a file that carries its process id. */
export const portIn = (folder: string, pid: number | undefined): number | null => {
  try {
    const { nats } = JSON.parse(readFileSync(path.join(folder, `nats-server_${pid ?? 0}.ports`), 'utf8')) as {
      readonly nats: readonly string[];
    };
    return Number(new URL(nats[0] ?? '').port);
  } catch {
    return null;
  }
};

const tailCharacters = 1_000;

export const tailOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').slice(-tailCharacters);
  } catch {
    return '';
  }
};
