import { setTimeout as sleep } from 'node:timers/promises';
import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { runProjector } from '../src/projections/projector.ts';
import type { Laboratory } from './laboratory.ts';

const batchBytes = 64 * 1024 ** 2;
const lookEveryMs = 2;
const patienceMs = 60_000;

/** Runs the product's own projector from where the table stands until it holds this sequence. Throws when it does not move for a minute. */
export const projectUntil = async (
  { bus, config, logger }: Laboratory,
  clickhouse: Clickhouse,
  last: () => number,
  signal: AbortSignal,
): Promise<void> => {
  const { batchRows, batchWaitMs } = config.projector;
  const limits = { rows: batchRows, bytes: batchBytes, waitMs: batchWaitMs };
  // A projector closes what it was given; here the database outlives it.
  const kept: Clickhouse = { ...clickhouse, close: async () => undefined };
  const projector = runProjector({ first: kept, connect: async () => kept, bus, logger, limits });
  try {
    let checkpoint = 0;
    let movedMs = performance.now();
    for (;;) {
      signal.throwIfAborted();
      const status = projector.status();
      if (status.checkpoint >= last()) return;
      if (status.checkpoint > checkpoint) movedMs = performance.now();
      checkpoint = status.checkpoint;
      if (performance.now() - movedMs > patienceMs)
        throw new Error(`expected the projector to reach ${last()}, but it stands at ${checkpoint}: ${status.fault ?? 'no fault told'}`);
      await sleep(lookEveryMs);
    }
  } finally {
    await projector.close();
  }
};
