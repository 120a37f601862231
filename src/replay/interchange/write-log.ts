import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import { createGzip } from 'node:zlib';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import { logFormat, type LogEnd, type LogOrigin } from './log-format.ts';
import { writeNewFiles } from './new-files.ts';

export type LoggedDecisions = AsyncIterable<readonly LoggedDecision[]> | Iterable<readonly LoggedDecision[]>;

/** `left`: asked after the last record. */
export type WriteOptions = { readonly force?: boolean; readonly left?: () => Omit<LogEnd, 'records'> };

/** Writes a file that `readLog` reads, packed where its name ends in .gz. It appears under its name when it is whole, and not before. Throws when there is something of that name, unless `force`. */
export const writeLog = async (
  file: string,
  origin: LogOrigin,
  batches: LoggedDecisions,
  { force = false, left = () => ({}) }: WriteOptions = {},
): Promise<{ readonly records: number }> =>
  writeNewFiles([file], { force }, async ([temporary = file]) => {
    let records = 0;
    const lines = async function* () {
      yield `${JSON.stringify({ format: logFormat.name, version: logFormat.version, ...origin })}\n`;
      for await (const batch of batches) {
        records += batch.length;
        yield batch.map((record) => `${JSON.stringify(record)}\n`).join('');
      }
      yield `${JSON.stringify({ end: { records, ...left() } })}\n`;
    };
    const packing = file.endsWith('.gz') ? [createGzip()] : [];
    await pipeline([Readable.from(lines()), ...packing, createWriteStream(temporary, { flags: 'wx' })]);
    return { records };
  });
