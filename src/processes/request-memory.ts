import type { Logger } from 'pino';
import type { RequestMemory } from '../actors/request-memory.ts';
import type { EventLog } from '../bus/event-log.ts';
import type { Settings } from '../config/settings.ts';
import { readAddress } from '../projections/addresses.ts';
import { explainError, readClickhouse, type Clickhouse } from '../projections/clickhouse.ts';
import { requestEvents, unsettledFeedback } from '../projections/request-events.ts';

/** What ClickHouse remembers of the log, for feedback that comes late. Null when ClickHouse is away or slow: whoever asks waits, and asks again. */
const patienceMs = 5_000;

export const requestMemoryOf = (settings: Settings, log: EventLog, logger: Logger): RequestMemory => {
  const ask = async <T>(question: (clickhouse: Clickhouse) => Promise<T>): Promise<T | null> => {
    const clickhouse = readClickhouse(readAddress(settings), { requestTimeoutMs: patienceMs });
    try {
      return await question(clickhouse);
    } catch (error) {
      logger.info({ reason: explainError(error) }, 'ClickHouse does not answer; feedback for requests of long ago waits');
      return null;
    } finally {
      await clickhouse.close();
    }
  };
  return {
    eventsOf: (requests) => ask((clickhouse) => requestEvents(clickhouse, requests)),
    unsettledFeedback: (range) =>
      ask(async (clickhouse) => unsettledFeedback(clickhouse, { ...range, createdAt: (await log.bounds()).createdAt })),
  };
};
