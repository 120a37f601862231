import type { z } from 'zod';
import { boundedLines } from '../../bounded-lines.ts';
import type { LoggedDecision } from '../logged-decision.ts';
import { foreignBytes, refuseFile } from './foreign-bytes.ts';
import { endSchema, headerSchema, logBounds, recordSchema, type LogHeader } from './log-format.ts';
import { seenIn } from './seen.ts';

/** So many records are handed on at a time. */
const batchSize = 1_024;

/**
 * The records of a file that `writeLog` made, in its order; `.gz` is unpacked. One batch and one line are in memory at a time. Throws a PermanentError with file, line and what was expected at the
 * first line that is not as the format says, and at the end of a file that was cut.
 */
export async function* readLog(file: string): AsyncGenerator<readonly LoggedDecision[], void, undefined> {
  let batch: LoggedDecision[] = [];
  for await (const { kind, value } of entriesOf(file)) {
    if (kind === 'header') continue;
    batch.push(value);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The header alone; what follows it is not read. */
export const readLogHeader = async (file: string): Promise<LogHeader> => {
  for await (const entry of entriesOf(file)) if (entry.kind === 'header') return entry.value;
  throw refuseFile(file, 'expected a header, got an empty file');
};

type Entry = { readonly kind: 'header'; readonly value: LogHeader } | { readonly kind: 'record'; readonly value: LoggedDecision };

async function* entriesOf(file: string): AsyncGenerator<Entry, void, undefined> {
  let line = 0;
  let records = 0;
  let ended = false;
  for await (const text of boundedLines(foreignBytes(file, { mostBytes: logBounds.fileBytes }), file, logBounds)) {
    line += 1;
    const where = `${file}:${line}`;
    if (ended) throw refuseFile(where, 'expected nothing after the last line {"end":...}');
    const json = jsonOf(text, where);
    if (line === 1) yield { kind: 'header', value: checked(headerSchema, json, where) };
    else if (isEnd(json)) {
      const said = checked(endSchema, json, where).end.records;
      if (said !== records)
        throw refuseFile(where, `expected the last line to say {"records":${records}}, as many as came before it, got ${said}`);
      ended = true;
    } else {
      yield { kind: 'record', value: checked(recordSchema, json, where) };
      records += 1;
    }
  }
  if (line === 0) throw refuseFile(file, 'expected a header, got an empty file');
  if (!ended) throw refuseFile(`${file}:${line + 1}`, `expected the last line {"end":{"records":${records}}}: the file was cut`);
}

const isEnd = (json: unknown): boolean => typeof json === 'object' && json !== null && 'end' in json;

const jsonOf = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuseFile(where, `expected a line of JSON, got ${text === '' ? 'an empty line' : seenIn(text)}`, cause);
  }
};

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
