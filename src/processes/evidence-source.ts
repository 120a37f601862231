import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Settings } from '../config/settings.ts';
import type { StateSnapshot } from '../domain/routing/snapshot.ts';
import { readAddress } from '../projections/addresses.ts';
import { readClickhouse } from '../projections/clickhouse.ts';
import { trustedSnapshot } from '../projections/state.ts';

/**
 * The state that ClickHouse holds of this log, for a router that starts; null when ClickHouse is away, slow, or remembers another log. The router then reads
 * the log alone, so nothing here may fail, or take longer than reading the log would: ten million rewards are summed in seconds and read in minutes.
 */
const patienceMs = 15_000;

export const evidenceSourceOf =
  (settings: Settings, log: EventLog, logger: Logger): (() => Promise<StateSnapshot | null>) =>
  async () => {
    const clickhouse = readClickhouse(readAddress(settings), { requestTimeoutMs: patienceMs });
    try {
      return await trustedSnapshot(clickhouse, log);
    } catch (error) {
      logger.info(
        { reason: error instanceof Error ? error.message : String(error) },
        'ClickHouse does not answer; the state is read from the log alone',
      );
      return null;
    } finally {
      await clickhouse.close();
    }
  };
