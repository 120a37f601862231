import type { Settings } from './settings.ts';

/**
 * The environment of a process that `up` starts: its own, with the addresses that `up` has settled. A child reads the same file and comes to the
 * same settings.
 */
export const environmentFor = (
  settings: Settings,
  settled: { readonly natsUrl: string; readonly httpPort: number; readonly sqlPort: number },
): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(settings.file === null ? {} : { SWITCHYARD_CONFIG: settings.file }),
  SWITCHYARD_DATA_DIR: settings.config.dataDir,
  NATS_URL: settled.natsUrl,
  SWITCHYARD_HTTP_PORT: String(settled.httpPort),
  SWITCHYARD_CLICKHOUSE_PORT: String(settled.sqlPort),
});
