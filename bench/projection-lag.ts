import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../src/bus/event-log.ts';
import { sequence } from '../src/events/index.ts';

/** How old the oldest message of the log is that ClickHouse does not hold yet, in seconds; 0 when it holds all. Sampled until the signal aborts. */
export const sampleLag = async (
  log: EventLog,
  projectedSequence: () => Promise<number>,
  everyMs: number,
  signal: AbortSignal,
): Promise<readonly number[]> => {
  const samplesSeconds: number[] = [];
  while (!signal.aborted) {
    const projected = await projectedSequence();
    const waiting = await log.at(sequence(projected + 1));
    samplesSeconds.push(waiting === null ? 0 : Math.max(0, Date.now() - waiting.storedAtMs) / 1_000);
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
  return samplesSeconds;
};
