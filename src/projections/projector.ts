import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { InvariantError, TransientError } from '../errors.ts';
import type { BatchLimits } from './batch-buffer.ts';
import { explainError, type Clickhouse } from './clickhouse.ts';
import { openPosition } from './position.ts';
import { createProgress, type ProjectorProgress } from './progress.ts';
import { runStretch, type RunningStretch } from './stretch.ts';

/**
 * Follows the event log into the table `events`: the one writer of the one table.
 *
 * 1. The checkpoint is the last sequence in the table; there is no second place that could disagree with it.
 * 2. It lives in stretches. Each begins by asking the table where it stands and the log whether it is still the same (position.ts), then reads and writes
 *    (stretch.ts). No stretch outlives a break of the connection: behind one the log may have lost its tail.
 * 3. Reading and writing overlap: while a batch is inserted the next one is read. There are never more than these two in memory.
 * 4. A message that cannot be understood is put among the dead letters, and then stands in the table as a row of type `_poison`.
 */
export type Projector = { readonly status: () => ProjectorProgress; readonly close: () => Promise<void> };

const firstPauseMs = 200;
const longestPauseMs = 5_000;

export const runProjector = (options: {
  /** Null when ClickHouse was away at the start: then `connect` is tried until it comes. */
  readonly first: Clickhouse | null;
  readonly connect: () => Promise<Clickhouse>;
  readonly bus: Bus;
  readonly limits: BatchLimits;
  readonly logger: Logger;
}): Projector => {
  const { bus, limits, logger } = options;
  let connected = options.first;
  const progress = createProgress();
  const closed = new AbortController();
  let running: RunningStretch | null = null;

  const project = async (): Promise<void> => {
    const end = new AbortController();
    const unwatch = bus.onStatus(() => {
      end.abort();
    });
    const signal = AbortSignal.any([end.signal, closed.signal]);
    try {
      const clickhouse = (connected ??= await options.connect());
      const position = await openPosition(clickhouse, bus.log, logger);
      progress.opened(position);
      progress.changed('following', null);
      logger.info({ epoch: position.epoch, checkpoint: position.checkpoint }, 'projecting');
      running = runStretch({ clickhouse, bus, limits, logger, position, progress }, signal);
      await running.done;
    } finally {
      running = null;
      unwatch();
    }
  };

  const live = async (): Promise<void> => {
    for (let pauseMs = firstPauseMs; !closed.signal.aborted;) {
      const before = progress.batchesWritten();
      try {
        await project();
        pauseMs = firstPauseMs;
      } catch (error) {
        if (progress.batchesWritten() > before) pauseMs = firstPauseMs;
        const ofTheLog = error instanceof TransientError || error instanceof InvariantError;
        progress.changed(ofTheLog ? 'waiting-for-log' : 'waiting-for-clickhouse', explainError(error));
        logger.warn({ err: error, pauseMs }, 'projection paused');
        // The lag is of interest above all while nothing goes on.
        await bus.log.bounds().then(
          ({ last }) => {
            progress.sawLog(last);
          },
          () => undefined,
        );
      }
      await sleep(pauseMs, undefined, { signal: closed.signal }).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
    progress.changed('closed', null);
  };
  const done = live();

  return {
    status: () =>
      progress.status({
        writeFault: running?.writer.fault()?.reason ?? null,
        oldestWaitingMs: running?.buffer.waiting().oldestStoredAtMs ?? null,
      }),
    close: async () => {
      closed.abort();
      await done;
      await connected?.close();
    },
  };
};
