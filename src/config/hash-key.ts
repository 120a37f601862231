import { randomBytes } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { ConfigError } from './config-error.ts';

/**
 * The key of the hashes that stand in events in place of text. It has to stay the same for the life of the log: from the environment, else from
 * <dataDir>/hash-key, which the first process to start makes. Readable by its owner alone. Processes on one NATS agree on one of their keys (processes/shared-hash-key.ts).
 *
 * The file appears by `link`, whole or not at all, and never in place of another: of several processes that start at the same moment all get the one key.
 */
export const hashKeyFrom = (given: string | undefined, dataDir: string): Uint8Array => {
  if (given !== undefined) return parseKey(given, 'environment variable SWITCHYARD_HASH_KEY');
  const file = path.join(dataDir, 'hash-key');
  try {
    return parseKey(readIfThere(file) ?? makeKey(file), file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(file, [
      {
        where: file,
        expected:
          'a folder in which the key of the hashes can be kept; another one is set by dataDir, or SWITCHYARD_HASH_KEY gives the key',
        seen: codeOf(error),
      },
    ]);
  }
};

/** The same for those who only look: null when no process has made a key yet. */
export const hashKeyThere = (given: string | undefined, dataDir: string): Uint8Array | null => {
  if (given !== undefined) return hashKeyFrom(given, dataDir);
  const file = path.join(dataDir, 'hash-key');
  try {
    const text = readIfThere(file);
    return text === null ? null : parseKey(text, file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const expected = 'a file that this user may read, or the key in SWITCHYARD_HASH_KEY';
    throw new ConfigError(file, [{ where: file, expected, seen: codeOf(error) }]);
  }
};

/** Puts another key in the place of the one in the data folder, which is kept beside it as `hash-key.before`. */
export const replaceHashKey = (key: Uint8Array, dataDir: string): void => {
  const file = path.join(dataDir, 'hash-key');
  const draft = writeDraft(file, `${Buffer.from(key).toString('hex')}\n`);
  // Never without a key there: another process that starts now would make one.
  if (existsSync(file)) copyFileSync(file, `${file}.before`);
  renameSync(draft, file);
};

const parseKey = (text: string, where: string): Uint8Array => {
  const hexadecimal = text.trim();
  if (/^[0-9a-f]{64}$/i.test(hexadecimal)) return Buffer.from(hexadecimal, 'hex');
  const expected = '64 hexadecimal digits, such as `openssl rand -hex 32` prints';
  throw new ConfigError(where, [{ where, expected, seen: `${hexadecimal.length} characters (hidden)` }]);
};

const readIfThere = (file: string): string | null => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

const makeKey = (file: string): string => {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = writeDraft(file, `${randomBytes(32).toString('hex')}\n`);
  try {
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(file, 'utf8');
};

/** A file beside the one that is meant, on disk when this returns. */
const writeDraft = (file: string, text: string): string => {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return draft;
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'an error');
