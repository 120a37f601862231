import { setTimeout as sleep } from 'node:timers/promises';
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
 *
 * A log of which the beginning has aged out does not tell what was learned, nor which policy was put in force: what ClickHouse holds of it is waited for, as its projector may be starting, too.
 */
const patienceMs = 15_000;
const longestWaitMs = 60_000;
const pauseMs = 500;

export const evidenceSourceOf =
  (
    settings: Settings,
    log: EventLog,
    logger: Logger,
    { waitMs = longestWaitMs }: { readonly waitMs?: number } = {},
  ): (() => Promise<StateSnapshot | null>) =>
  async () => {
    const untilMs = performance.now() + waitMs;
    for (let attempt = 1; ; attempt++) {
      const found = await evidence(settings, log, logger);
      const { first } = await log.bounds();
      if ((found?.sequence ?? 0) >= first - 1 || performance.now() >= untilMs) return found;
      if (attempt === 1)
        logger.warn(
          { first, known: found?.sequence ?? 0 },
          'the beginning of the log has aged out: waiting for what ClickHouse holds of it',
        );
      await sleep(pauseMs);
    }
  };

const evidence = async (settings: Settings, log: EventLog, logger: Logger): Promise<StateSnapshot | null> => {
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
