import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PermanentError } from '../errors.ts';
import type { Entry } from './batch-buffer.ts';
import { explainError, isDataError, type Clickhouse } from './clickhouse.ts';
import { tables } from './table.ts';

/**
 * Writes a batch into `events`, exactly once.
 *
 * 1. One batch is one insert, one block, one part: whole or not there.
 * 2. The token of an insert names the epoch and the first sequence, so that the repetition of an insert whose answer was lost changes nothing, also when the
 *    repetition is cut at another sequence.
 * 3. When ClickHouse is away the same batch is sent again, for ever, with a pause that grows to a bound. Nothing is dropped, nothing else is read meanwhile.
 * 4. Rows that the engine refuses for what they are would be refused for ever: the batch is halved until the message that is to blame stands alone, and
 *    `refuse` turns that one into a row that says so.
 */
export type EventWriter = {
  /** False when the signal ended it first: then the batch may be there or not. */
  readonly write: (batch: readonly Entry[], signal: AbortSignal) => Promise<boolean>;
  /** What keeps it from writing, since when; null when nothing does. */
  readonly fault: () => WriteFault | null;
};

export type WriteFault = { readonly reason: string; readonly sinceMs: number; readonly attempts: number };

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export const createEventWriter = (options: {
  readonly clickhouse: Clickhouse;
  readonly epoch: number;
  readonly refuse: (entry: Entry, detail: string) => Promise<Entry>;
  readonly logger: Logger;
}): EventWriter => {
  const { clickhouse, epoch, logger } = options;
  let fault: WriteFault | null = null;

  const write = async (batch: readonly Entry[], signal: AbortSignal): Promise<boolean> => {
    const [first] = batch;
    if (first === undefined) return true;
    const insert = insertStatement(tables.events, `${epoch}:${first.sequence}`);
    const lines = batch.map((entry) => entry.lines).join('');
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await clickhouse.insert(insert, lines);
        fault = null;
        return true;
      } catch (error) {
        if (isDataError(error)) return writeParts(batch, explainError(error), signal);
        fault = { reason: explainError(error), sinceMs: fault?.sinceMs ?? Date.now(), attempts: (fault?.attempts ?? 0) + 1 };
        logger.warn(
          { err: fault.reason, first: first.sequence, attempts: fault.attempts, pauseMs },
          'insert failed; sending the same batch again',
        );
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  };

  const writeParts = async (batch: readonly Entry[], detail: string, signal: AbortSignal): Promise<boolean> => {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      const replacement = await options.refuse(only, detail);
      if (replacement.lines === only.lines)
        throw new PermanentError('projection', `expected the engine to take a poison row, got: ${detail}`);
      return write([replacement], signal);
    }
    const middle = Math.ceil(batch.length / 2);
    return (await write(batch.slice(0, middle), signal)) && (await write(batch.slice(middle), signal));
  };

  return { write, fault: () => fault };
};

/**
 * Deduplication by token needs `async_insert` off; one block needs one thread that parses and no limit of rows below that of the batch. The text of `data` is
 * kept as it is.
 */
export const insertStatement = (table: string, token: string): string =>
  `INSERT INTO ${table} SETTINGS async_insert = 0, insert_deduplication_token = '${token}', input_format_parallel_parsing = 0, max_insert_block_size = 4000000, min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0, input_format_json_read_objects_as_strings = 1, input_format_null_as_default = 1`;
