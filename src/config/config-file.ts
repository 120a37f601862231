import { closeSync, openSync, readSync } from 'node:fs';
import { isNode, LineCounter, parseDocument, type Document, type YAMLMap, isMap, isScalar, visit } from 'yaml';
import { unreadableKind } from '../file-kind.ts';
import type { ConfigProblem } from './config-error.ts';
import type { ConfigPath } from './schema-view.ts';

/** Far above any real configuration, far below what would hurt. */
const largestBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
const mostAliases = 100;

export type ConfigFile =
  | { readonly kind: 'read'; readonly content: unknown; readonly lineOf: (path: ConfigPath) => number | undefined }
  | { readonly kind: 'unreadable'; readonly problems: readonly ConfigProblem[] };

/** Reads a YAML file. Everything that can be wrong with it is a value; a line can be found for each path of what was read. */
export const readConfigFile = (file: string, { atLeast = 'at least models and arms' }: { readonly atLeast?: string } = {}): ConfigFile => {
  const kind = unreadableKind(file);
  if (kind !== null) return unreadable(file, 'a file', kind);
  let bytes: Uint8Array;
  try {
    bytes = firstBytes(file, largestBytes + 1);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    return unreadable(file, 'a file that can be read', code === 'ENOENT' ? 'no such file' : code);
  }
  if (bytes.length > largestBytes) return unreadable(file, `at most ${largestBytes} bytes`, 'more');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return unreadable(file, 'text in UTF-8', 'other bytes');
  }
  return parse(file, text, atLeast);
};

/** No more of them, whatever the file is and however it grows. */
const firstBytes = (file: string, mostBytes: number): Uint8Array => {
  const descriptor = openSync(file, 'r');
  try {
    const chunk = new Uint8Array(chunkBytes);
    const chunks: Uint8Array[] = [];
    for (let bytes = 0; bytes < mostBytes;) {
      const read = readSync(descriptor, chunk, 0, Math.min(mostBytes - bytes, chunkBytes), null);
      if (read === 0) break;
      chunks.push(chunk.slice(0, read));
      bytes += read;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
};

const parse = (file: string, text: string, atLeast: string): ConfigFile => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (document.errors.length > 0)
    return {
      kind: 'unreadable',
      problems: document.errors.slice(0, 10).map((error) => ({
        where: file,
        line: lines.linePos(error.pos[0]).line,
        expected: `valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
        seen: firstSentence(error.message),
      })),
    };
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    return unreadable(
      file,
      `at most ${mostAliases} aliases, each of an anchor that stands before it`,
      error instanceof Error ? error.message : 'other',
    );
  }
  const reserved = reservedKeys(document);
  if (reserved.length > 0)
    return {
      kind: 'unreadable',
      problems: reserved.slice(0, 10).map((offset) => ({
        where: '__proto__',
        line: lines.linePos(offset).line,
        expected: 'another key; this one cannot be read',
        seen: null,
      })),
    };
  if (content === null || content === undefined) return unreadable(file, atLeast, 'an empty file');
  return {
    kind: 'read',
    content,
    lineOf: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : lines.linePos(offset).line;
    },
  };
};

const unreadable = (where: string, expected: string, seen: string): ConfigFile => ({
  kind: 'unreadable',
  problems: [{ where, expected, seen }],
});

/** Where a key would reach the prototype of what is read. Schemas of groups whose keys are free would leave it out without a word. */
const reservedKeys = (document: Document): readonly number[] => {
  const offsets: number[] = [];
  visit(document, {
    Pair: (_key, { key }) => {
      if (isScalar(key) && String(key.value) === '__proto__') offsets.push(key.range?.[0] ?? 0);
    },
  });
  return offsets;
};

const firstSentence = (message: string): string => message.split('\n')[0]?.slice(0, 200) ?? '';

/** Where the key of a path stands; for what is not in the file, where the nearest group around it stands. */
const offsetOf = (document: Document, path: ConfigPath): number | undefined => {
  for (let length = path.length; length > 0; length--) {
    const key = path[length - 1];
    const group: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    if (isMap(group)) {
      const offset = keyOffset(group, String(key));
      if (offset !== undefined) return offset;
    }
    const entry: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(entry) && entry.range) return entry.range[0];
  }
  return undefined;
};

const keyOffset = (group: YAMLMap, key: string): number | undefined => {
  const pair = group.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return pair !== undefined && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
};
