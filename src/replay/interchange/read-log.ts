import { z } from 'zod';
import { boundedLines } from '../../bounded-lines.ts';
import type { LoggedDecision } from '../logged/logged-decision.ts';
import { foreignBytes, refuseFile } from './foreign-bytes.ts';
import { endSchema, headerSchema, logBounds, recordSchema, type LogEnd, type LogHeader } from './log-format.ts';
import { seenIn } from './seen.ts';

/**
 * The same schema, of which the library has made a function: three times as quick with what keeps to it. What does not is read again by the schema itself, so that messages are the same. `strict`: a schema that cannot be made into one is an
 * error here, and not a slower reader that nobody notices.
 */
export const compiledRecordSchema = z.compile(recordSchema, { strict: true });

/** So many records are handed on at a time. */
const batchSize = 1_024;

/**
 * The records of a file that `writeLog` made, in its order; `.gz` is unpacked. One batch and one line are in memory at a time. Throws a PermanentError with file, line and what was expected at the
 * first line that is not as the format says, and at the end of a file that was cut.
 */
export async function* readLog(
  file: string,
  { onEnd }: { readonly onEnd?: (end: LogEnd) => void } = {},
): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  const reader = readerOf(file);
  let batch: LoggedDecision[] = [];
  for await (const text of linesOf(file)) {
    const record = reader.take(text);
    if (record === null) continue;
    batch.push(record);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  const end = reader.end();
  onEnd?.(end);
  if (batch.length > 0) yield batch;
}

/** The header alone; what follows it is not read. */
export const readLogHeader = async (file: string): Promise<LogHeader> => {
  for await (const text of linesOf(file)) return checked(headerSchema, jsonOf(text, `${file}:1`), `${file}:1`);
  throw emptyFile(file);
};

const linesOf = (file: string): AsyncGenerator<string, void, undefined> =>
  boundedLines(foreignBytes(file, { mostBytes: logBounds.fileBytes }), file, logBounds);

/** Takes the lines in their order; null for those that are no record. Its `end` throws where the last of them was not that of a whole file. */
const readerOf = (file: string): { readonly take: (text: string) => LoggedDecision | null; readonly end: () => LogEnd } => {
  let line = 0;
  let records = 0;
  let last: LogEnd | null = null;
  return {
    take: (text) => {
      line += 1;
      const where = `${file}:${line}`;
      if (last !== null) throw refuseFile(where, 'expected nothing after the last line {"end":...}');
      const json = jsonOf(text, where);
      if (line === 1) {
        checked(headerSchema, json, where);
        return null;
      }
      if (isEnd(json)) {
        const { end } = checked(endSchema, json, where);
        if (end.records !== records)
          throw refuseFile(where, `expected the last line to say {"records":${records}}, as many as came before it, got ${end.records}`);
        last = end;
        return null;
      }
      records += 1;
      return checked(compiledRecordSchema, json, where);
    },
    end: () => {
      if (line === 0) throw emptyFile(file);
      if (last === null) throw refuseFile(`${file}:${line + 1}`, `expected the last line {"end":{"records":${records}}}: the file was cut`);
      return last;
    },
  };
};

const emptyFile = (file: string) => refuseFile(file, 'expected a header, got an empty file');

const isEnd = (json: unknown): boolean => typeof json === 'object' && json !== null && 'end' in json;

const jsonOf = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuseFile(
      where,
      `expected a line of JSON, got ${text.trim() === '' ? 'an empty line' : `${seenIn(text)}: ${faultIn(cause)}`}`,
      cause,
    );
  }
};

/** Where the line stops being JSON, in the words of its reader, on one line: they hold a piece of the text. */
const faultIn = (cause: unknown): string =>
  cause instanceof Error ? JSON.stringify(cause.message.slice(0, 160)).slice(1, -1).replaceAll('\\"', '"') : '';

const checked = <Value>(schema: z.ZodType<Value>, json: unknown, where: string): Value => {
  const read = schema.safeParse(json, { reportInput: true });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? '' : ` ${issue.path.join('.')}:`;
  // A custom issue says itself what it saw.
  const seen = issue?.code === 'custom' ? String(issue.params?.['seen'] ?? '') : seenIn(issue?.input);
  throw refuseFile(where, `${at.trimStart()}${at === '' ? '' : ' '}${expectedIn(issue?.message)}${seen === '' ? '' : `, got ${seen}`}`);
};

/** Messages of the schema library say twice what was seen: here what was expected is enough. */
const expectedIn = (message = 'expected a record'): string =>
  message.replace(/^[A-Z][a-z ]*: (?=expected )/, '').replace(/^(expected [^,]*), received .*$/s, '$1');
