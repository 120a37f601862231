import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { PermanentError } from '../../errors.ts';
import { unreadableKind } from '../../file-kind.ts';

/** What is wrong with a file from outside, and where. */
export const refuseFile = (where: string, what: string, cause?: unknown): PermanentError =>
  new PermanentError('data-invalid', `${where}: ${what}`, { cause });

/**
 * The bytes of a file of text, unpacked where its name ends in .gz. Never more than `mostBytes` of them, however small the file: a few kilobytes of gzip can stand for terabytes. A file that is
 * read on only as far as its reader asks. Text has no NUL: what has is another kind of file, or UTF-16.
 */
export async function* foreignBytes(file: string, { mostBytes }: { readonly mostBytes: number }): AsyncGenerator<Buffer, void, undefined> {
  // A pipe ends when its writer does, and can be waited for: whoever does not want to refuses it before.
  if (unreadableKind(file) === 'a device') throw refuseFile(file, 'expected a file, got a device');
  let bytes = 0;
  for await (const chunk of openBytes(file)) {
    const packing = bytes === 0 ? kinds.find(({ begins }) => chunk.subarray(0, begins.length).equals(begins)) : undefined;
    if (packing !== undefined) throw refuseFile(file, `expected text in UTF-8, got ${packing.name}`);
    const nul = chunk.indexOf(0);
    if (nul !== -1) throw refuseFile(file, `expected text in UTF-8, got a NUL at byte ${bytes + nul}`);
    bytes += chunk.length;
    if (bytes > mostBytes) throw refuseFile(file, `expected at most ${mostBytes} bytes of text in the file`);
    yield chunk;
  }
}

/** Files that are easily taken for one of text, by their first bytes. */
const kinds = [
  { begins: Buffer.from('PAR1'), name: 'Parquet, which is written here and not read' },
  { begins: Buffer.from([0x1f, 0x8b]), name: 'gzip, which is unpacked where the name ends in .gz' },
  { begins: Buffer.from('PK\u0003\u0004'), name: 'a zip archive' },
];

async function* openBytes(file: string): AsyncGenerator<Buffer, void, undefined> {
  const packed = file.endsWith('.gz');
  const raw = createReadStream(file);
  // Whichever of the two fails ends the other; the error comes out of the iteration below.
  const stream = packed ? pipeline(raw, createGunzip(), () => undefined) : raw;
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EISDIR')
      throw refuseFile(file, 'expected a file, got a folder', cause);
    throw refuseFile(file, `expected a file that can be read${packed ? ', in gzip form and whole' : ''}`, cause);
  }
}
