import { PermanentError } from './errors.ts';

/** The lines of a file of text, one at a time and none longer than the bound: a reader of foreign files must not take what it cannot hold. */
export type LineBounds = { readonly lineBytes: number; readonly fileBytes: number };

export async function* boundedLines(
  chunks: AsyncIterable<Buffer>,
  file: string,
  bounds: LineBounds,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const refuse = (line: number, what: string, cause?: unknown) => new PermanentError('data-invalid', `${file}:${line}: ${what}`, { cause });
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let fileBytes = 0;
  let line = 0;
  const take = (end: Buffer): string => {
    line += 1;
    if (pendingBytes + end.length > bounds.lineBytes) throw refuse(line, `expected a line of at most ${bounds.lineBytes} bytes`);
    const bytes = pending.length === 0 ? end : Buffer.concat([...pending, end]);
    pending = [];
    pendingBytes = 0;
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw refuse(line, 'expected UTF-8', error);
    }
  };

  for await (const chunk of chunks) {
    fileBytes += chunk.length;
    if (fileBytes > bounds.fileBytes) throw refuse(line + 1, `expected at most ${bounds.fileBytes} bytes of text in the file`);
    let from = 0;
    for (let newline = chunk.indexOf(10); newline !== -1; newline = chunk.indexOf(10, from)) {
      yield take(chunk.subarray(from, newline));
      from = newline + 1;
    }
    const rest = chunk.subarray(from);
    pendingBytes += rest.length;
    if (pendingBytes > bounds.lineBytes) throw refuse(line + 1, `expected a line of at most ${bounds.lineBytes} bytes`);
    if (rest.length > 0) pending.push(rest);
  }
  if (pendingBytes > 0) yield take(Buffer.alloc(0));
}
