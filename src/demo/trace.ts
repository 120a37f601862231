import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PermanentError } from '../errors.ts';

/**
 * Reads the arrival times of a trace of real requests: CSV with the columns TIMESTAMP,ContextTokens,GeneratedTokens (Azure's LLM inference trace),
 * in order of time. Reads no further than the arrivals that are asked for.
 */
const header = 'TIMESTAMP,ContextTokens,GeneratedTokens';

/** `2023-11-16 18:15:46.6805900`: no zone, up to seven digits of a second. */
const rowForm = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(\.\d{1,9})?,\d+,\d+$/;

/** Milliseconds since the first arrival, ascending; at most `limit` of them. Throws PermanentError that names file and line where the file is not such a trace. */
export const readTrace = async (file: string, limit: number): Promise<readonly number[]> => {
  const refuse = (line: number, expected: string, seen: string): never => {
    throw new PermanentError('bad-trace', `${file}, line ${line}: expected ${expected}, got "${seen.slice(0, 80)}"`);
  };
  const offsetsMs: number[] = [];
  let firstMs = 0;
  let line = 0;
  for await (const text of linesOf(file)) {
    line++;
    if (line === 1) {
      if (text.replace(/^\uFEFF/, '') !== header) refuse(line, `the header "${header}"`, text);
      continue;
    }
    if (text === '') continue;
    const timeMs = timeOf(text);
    if (timeMs === null) refuse(line, 'a time such as 2023-11-16 18:15:46.6805900 and two whole numbers', text);
    else {
      if (offsetsMs.length === 0) firstMs = timeMs;
      if (timeMs - firstMs < (offsetsMs.at(-1) ?? 0)) refuse(line, 'a time that is not before the one above', text);
      offsetsMs.push(timeMs - firstMs);
      if (offsetsMs.length === limit) break;
    }
  }
  if (offsetsMs.length === 0) throw new PermanentError('bad-trace', `${file}: expected at least one row under the header, got none`);
  return offsetsMs;
};

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, 'utf8');
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    throw new PermanentError(
      'bad-trace',
      `expected a readable trace at ${file}, got: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    input.destroy();
  }
}

const timeOf = (row: string): number | null => {
  const parts = rowForm.exec(row);
  if (parts === null) return null;
  const [, date = '', time = '', fraction = ''] = parts;
  const timeMs = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(timeMs) ? null : timeMs + Number(`0${fraction}`) * 1_000;
};
