import type { Logger } from 'pino';
import type { EventLog } from '../bus/event-log.ts';
import type { Config } from '../config/schema.ts';
import type { RecordedFeedback } from '../domain/routing/remembered.ts';
import { sequence, type Sequence } from '../events/index.ts';
import type { RequestMemory } from './request-memory.ts';

/**
 * Feedback that waits since before the stretch of the log that a ledger is built from: for a request that has not come, or for the memory to come back. The memory is asked, and
 * the log is read where it does not answer. No further back than feedback can wait.
 */
const graceMs = 60_000;

export const readWaitingFeedback = async (
  {
    log,
    memory,
    config,
    logger,
  }: { readonly log: EventLog; readonly memory: RequestMemory; readonly config: Config; readonly logger: Logger },
  range: { readonly first: Sequence; readonly before: Sequence; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<readonly RecordedFeedback[]> => {
  const { requestWaitSeconds, memoryWaitSeconds } = config.feedback;
  if (range.before <= range.first) return [];
  const since = await log.sequenceAt(range.nowMs - Math.max(requestWaitSeconds, memoryWaitSeconds) * 1_000 - graceMs);
  if (since === null || since >= range.before) return [];
  const stretch = { from: sequence(Math.max(range.first, since)), to: sequence(range.before - 1) };
  const told = await memory.unsettledFeedback({ ...stretch, limit: config.feedback.waiting });
  if (told !== null) return told;
  logger.info(stretch, 'ClickHouse does not tell which feedback waits; the log is read for it');
  return unsettledIn(log, stretch, range.signal);
};

const unsettledIn = async (
  log: EventLog,
  stretch: { readonly from: Sequence; readonly to: Sequence },
  signal: AbortSignal,
): Promise<readonly RecordedFeedback[]> => {
  const unsettled = new Map<string, RecordedFeedback>();
  for await (const entry of log.read({ ...stretch, signal })) {
    if (entry.kind === 'poison') continue;
    for (const event of entry.events) {
      if (event.type === 'feedback.received') unsettled.set(event.id, { sequence: entry.sequence, event });
      else if ((event.type === 'reward.recorded' || event.type === 'feedback.rejected') && event.causationid !== undefined)
        unsettled.delete(event.causationid);
    }
  }
  return [...unsettled.values()];
};
