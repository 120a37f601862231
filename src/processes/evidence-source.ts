import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Settings } from '../config/settings.ts';
import type { EvidenceAt } from '../domain/routing/evidence.ts';
import { readAddress } from '../projections/addresses.ts';
import { readClickhouse } from '../projections/clickhouse.ts';
import { trustedEvidence } from '../projections/evidence.ts';

/**
 * The evidence that ClickHouse holds of this log, for a router that starts; null when ClickHouse is away, slow, or remembers another log. The router then reads
 * the log alone, so nothing here may take long or fail.
 */
const patienceMs = 3_000;

export const evidenceSourceOf =
  (settings: Settings, log: EventLog, logger: Logger): (() => Promise<EvidenceAt | null>) =>
  async () => {
    const clickhouse = readClickhouse(readAddress(settings), { requestTimeoutMs: patienceMs });
    try {
      return await trustedEvidence(clickhouse, log);
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
