import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { PermanentError } from '../errors.ts';
import { sequence } from '../events/index.ts';
import { createBatchBuffer, type BatchBuffer, type BatchLimits, type Entry } from './batch-buffer.ts';
import type { Clickhouse } from './clickhouse.ts';
import { encodeEntry } from './encode-entry.ts';
import { spansOf } from './epochs.ts';
import { createEventWriter, type EventWriter } from './event-writer.ts';
import { checkpointOf, type Position } from './position.ts';
import type { Progress } from './progress.ts';
import { readChecks } from './understand.ts';
import { asPoison, poisonId, type Poison } from './rows.ts';

/**
 * Projects from a known position until it is told to end, or until something says that the position has to be found anew. Three loops, which end together:
 * one reads the log into the buffer, one writes the buffer into the table, one looks at the log from outside.
 */
export type Stretch = {
  readonly position: Position;
  readonly clickhouse: Clickhouse;
  readonly bus: Bus;
  readonly limits: BatchLimits;
  readonly progress: Progress;
  readonly logger: Logger;
};

export type RunningStretch = { readonly done: Promise<void>; readonly writer: EventWriter; readonly buffer: BatchBuffer };

export const runStretch = (stretch: Stretch, signal: AbortSignal): RunningStretch => {
  const { position, clickhouse, limits, logger } = stretch;
  const { epoch } = position;
  const buffer = createBatchBuffer(limits);
  const writer = createEventWriter({ clickhouse, epoch, logger, refuse: (entry, detail) => refuse(stretch, entry, detail) });

  const ended = new AbortController();
  const end = () => {
    ended.abort();
    buffer.end();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();

  const loops = [
    readLog(stretch, buffer, ended.signal),
    writeTable(stretch, buffer, writer, ended.signal),
    watchLog(stretch, ended.signal),
  ];
  const done = Promise.allSettled(loops.map((loop) => loop.finally(end))).then((outcomes) => {
    signal.removeEventListener('abort', end);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
  return { done, writer, buffer };
};

const readLog = async (stretch: Stretch, buffer: BatchBuffer, signal: AbortSignal): Promise<void> => {
  const { bus, position, logger } = stretch;
  let expected = position.checkpoint + 1;
  for await (const entry of bus.log.follow({ from: sequence(expected), checks: readChecks, gatherMs: stretch.limits.waitMs / 2, signal })) {
    if (entry.sequence !== expected)
      logger.warn({ expected, got: entry.sequence }, 'the log no longer holds messages that were not projected yet');
    expected = entry.sequence + 1;
    const encoded = encodeEntry(entry, position.epoch);
    if (encoded.poison !== null) await putAside(stretch, encoded.poison);
    const full = buffer.put(encoded);
    if (full !== undefined) await full;
  }
};

const writeTable = async (stretch: Stretch, buffer: BatchBuffer, writer: EventWriter, signal: AbortSignal): Promise<void> => {
  const { clickhouse, position, progress } = stretch;
  for (let batches = 0; ; batches++) {
    const batch = await buffer.take();
    if (batch === null) return;
    progress.took(batch);
    if (!(await writer.write(batch, signal))) return;
    progress.wrote(batch);
    // An insert of a projector that was killed may still have been on its way to the server: then the table is further than was known.
    if (batches === 0 && (await checkpointOf(clickhouse, spansOf(position.chain))) !== progress.checkpoint()) return;
  }
};

const lookEveryMs = 1_000;

const watchLog = async ({ bus, position, progress }: Stretch, signal: AbortSignal): Promise<void> => {
  const createdAt = position.chain.at(-1)?.streamCreatedAt;
  while (!signal.aborted) {
    const bounds = await bus.log.bounds();
    progress.sawLog(bounds.last);
    if (bounds.createdAt !== createdAt || bounds.last < progress.checkpoint()) return;
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
};

const putAside = async ({ bus, position, progress, logger }: Stretch, poison: Poison): Promise<void> => {
  await bus.dead.put({
    reason: 'poison-event',
    detail: `${poison.reason}: ${poison.detail}`.slice(0, 2_000),
    origin: poison.subject,
    originSequence: poison.sequence,
    id: poisonId(position.epoch, poison.sequence),
    body: poison.body,
  });
  progress.poisoned();
  logger.warn(
    { sequence: poison.sequence, reason: poison.reason, detail: poison.detail.slice(0, 500) },
    'poison in the log: dead-lettered',
  );
};

/** Converts again, as poison, what the engine did not take. */
const refuse = async (stretch: Stretch, entry: Entry, detail: string): Promise<Entry> => {
  const original = await stretch.bus.log.at(sequence(entry.sequence));
  if (original === null)
    throw new PermanentError('projection', `the log no longer holds ${entry.sequence}, which the engine refused: ${detail}`);
  const poison = asPoison(original, 'refused-by-clickhouse', detail);
  await putAside(stretch, poison);
  return encodeEntry(poison, stretch.position.epoch);
};
