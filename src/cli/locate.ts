import { loadConfig, type LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';

import { isAlive, readRun, type Run } from '../processes/run-file.ts';
import type { CommonOptions } from './command.ts';

/**
 * Where the yard is: the configuration says where its data are, run.json there says where it runs, options say otherwise. Without a running yard the
 * addresses of the configuration are tried: it may run elsewhere, in a container for example.
 */
export type Located = {
  readonly settings: LoadedConfig;
  /** Null when no yard runs from this data folder. */
  readonly run: Run | null;
  readonly nats: Address;
  readonly http: Address;
  readonly sql: Address;
};

/** `source` ends the sentence "... at <url>, <source>" of an error. */
export type Address = { readonly url: string; readonly source: string };

export type AddressOptions = CommonOptions & { readonly natsUrl?: string; readonly httpUrl?: string; readonly sqlUrl?: string };

export const locateYard = (options: AddressOptions): Located => {
  const settings = loadConfig({ file: options.config });
  const { config } = settings;
  const written = readRun(config.dataDir);
  const run = written !== null && isAlive(written.pid) ? written : null;

  const address = (
    option: string,
    given: string | undefined,
    server: string | undefined,
    running: string | null | undefined,
    own: string,
  ): Address => {
    if (given !== undefined) return { url: given, source: `as ${option} says` };
    if (server !== undefined) return { url: server, source: `as ${settings.file ?? 'the configuration'} says` };
    if (running !== null && running !== undefined) return { url: running, source: 'where the yard was when it started' };
    return { url: own, source: `the configured address; no yard runs from ${config.dataDir}` };
  };
  return {
    settings,
    run,
    nats: address('--nats-url', options.natsUrl, config.nats.url, run?.natsUrl, ownUrl('nats', config.nats)),
    http: address('--http-url', options.httpUrl, undefined, run?.httpUrl, ownUrl('http', config.http)),
    sql: address('--sql-url', options.sqlUrl, config.clickhouse.url, run?.sqlUrl, ownUrl('http', config.clickhouse)),
  };
};

const everywhere = new Set(['0.0.0.0', '::', '']);

/** Somebody who listens everywhere is reached at home. */
const ownUrl = (scheme: string, { host, port }: Pick<Config['http'], 'host' | 'port'>): string => {
  const name = everywhere.has(host) ? '127.0.0.1' : host;
  return `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

/** What to do when nobody answers there. */
export const startHint = ({ run, settings }: Located, option: string): string =>
  run === null
    ? `start the yard with ./switchyard up, or name a running one with ${option}`
    : `the yard of process ${run.pid} runs from ${settings.config.dataDir}: see ./switchyard status`;
