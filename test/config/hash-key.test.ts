import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashKeyFrom, hashKeyThere } from '../../src/config/hash-key.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'switchyard-key-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('makes a key once, for its owner alone, and finds it again', () => {
  const dataDir = path.join(folder, 'deep', 'er');
  const first = hashKeyFrom(undefined, dataDir);
  expect(first).toHaveLength(32);
  expect(hashKeyFrom(undefined, dataDir)).toEqual(first);
  expect(statSync(path.join(dataDir, 'hash-key')).mode & 0o777).toBe(0o600);
});

it('gives processes that start at the same moment the one key, and leaves no drafts', async () => {
  const module = fileURLToPath(new URL('../../src/config/hash-key.ts', import.meta.url));
  const program = `
    import { hashKeyFrom } from ${JSON.stringify(module)};
    await new Promise((resolve) => setTimeout(resolve, Number(process.argv[1]) - Date.now() - 20));
    while (Date.now() < Number(process.argv[1]));
    console.log(Buffer.from(hashKeyFrom(undefined, process.argv[2])).toString('hex'));
  `;
  const startMs = String(Date.now() + 1_500);
  const run = promisify(execFile);
  const keys = await Promise.all(
    Array.from({ length: 6 }, () =>
      run(process.execPath, ['--input-type=module', '-e', program, startMs, folder]).then(({ stdout }) => stdout.trim()),
    ),
  );
  expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(keys).size).toBe(1);
  expect(readdirSync(folder)).toEqual(['hash-key']);
});

it('prefers the key that is given, and writes none', () => {
  expect(hashKeyFrom('0f'.repeat(32), folder)).toEqual(Buffer.alloc(32, 0x0f));
  expect(readdirSync(folder)).toEqual([]);
});

it('says what is wrong with a file that is no key, without showing it', () => {
  writeFileSync(path.join(folder, 'hash-key'), 'hunter2');
  expect(() => hashKeyFrom(undefined, folder)).toThrow(/expected 64 hexadecimal digits.*7 characters \(hidden\)/);
});

it('says what to do where nothing can be kept', () => {
  writeFileSync(path.join(folder, 'file'), '');
  expect(() => hashKeyFrom(undefined, path.join(folder, 'file', 'data'))).toThrow(/expected a folder.*SWITCHYARD_HASH_KEY/);
});

it('only looks, for those who only look', () => {
  expect(hashKeyThere(undefined, folder)).toBeNull();
  expect(readdirSync(folder)).toEqual([]);
  const made = hashKeyFrom(undefined, folder);
  expect(hashKeyThere(undefined, folder)).toEqual(made);
  expect(hashKeyThere('0f'.repeat(32), folder)).toEqual(Buffer.alloc(32, 0x0f));
  rmSync(path.join(folder, 'hash-key'));
  mkdirSync(path.join(folder, 'hash-key'));
  expect(() => hashKeyThere(undefined, folder)).toThrow(/expected a file that this user may read.*EISDIR/);
});
