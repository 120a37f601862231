import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseTaken } from '../../../src/replay/interchange/names-to-write.ts';
import { writeNewFiles } from '../../../src/replay/interchange/new-files.ts';
import { writeLog } from '../../../src/replay/interchange/write-log.ts';
import { writeOpenBandit } from '../../../src/replay/interchange/write-open-bandit.ts';
import { writeParquet } from '../../../src/replay/interchange/write-parquet.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { origin, recordsOf, slotRecord, temporaryFolder } from './support/records.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

const taken = 'expected a name that is not taken; --force replaces what is there';
const one = [recordsOf(1, slotRecord)];

describe('a name that is taken', () => {
  it.each([
    [
      'a file',
      (at: string) => {
        writeFileSync(at, 'mine');
      },
    ],
    [
      'a link to a file',
      (at: string) => {
        writeFileSync(`${at}.theirs`, 'theirs');
        symlinkSync(`${at}.theirs`, at);
      },
    ],
    [
      'a link that leads nowhere',
      (at: string) => {
        symlinkSync('/nowhere/at-all', at);
      },
    ],
  ])('%s is left alone', async (_what, take) => {
    take(folder.at('log.jsonl'));
    const before = readdirSync(folder.at());
    await expect(writeLog(folder.at('log.jsonl'), origin, one)).rejects.toThrow(taken);
    expect(readdirSync(folder.at())).toEqual(before);
  });

  it.each([
    [
      'a folder',
      (at: string) => {
        mkdirSync(at);
      },
    ],
    [
      'a pipe',
      (at: string) => {
        execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', at]);
      },
    ],
    [
      'a device',
      (at: string) => {
        symlinkSync('/dev/null', at);
      },
    ],
  ])('%s is never replaced, and nobody is told that it could be', async (kind, take) => {
    const file = folder.at('log.jsonl');
    take(file);
    const was = lstatSync(file);
    for (const force of [false, true])
      await expect(writeLog(file, origin, one, { force })).rejects.toThrow(
        new RegExp(`log\\.jsonl: expected the name of a file, got ${kind}$`),
      );
    expect(lstatSync(file)).toMatchObject({ ino: was.ino, mode: was.mode });
    expect(readdirSync(folder.at())).toEqual(['log.jsonl']);
  });

  it('is not replaced when it became a pipe meanwhile', async () => {
    const file = folder.at('log.jsonl');
    const slow = async function* () {
      execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', file]);
      yield* one;
    };
    await expect(writeLog(file, origin, slow(), { force: true })).rejects.toThrow('got a pipe');
    expect(lstatSync(file).isFIFO()).toBe(true);
  });

  it("is the system's own where it stands in its folder of devices, even when it leads to a file", async () => {
    await expect(refuseTaken(['/dev/stdout'], { force: true })).rejects.toThrow('/dev/stdout: expected the name of a file, got a device');
  });

  it('is refused before a record is asked for', async () => {
    writeFileSync(folder.at('log.jsonl'), 'mine');
    const never = async function* (): AsyncGenerator<readonly LoggedDecision[]> {
      yield await Promise.reject(new Error('was asked'));
    };
    await expect(writeLog(folder.at('log.jsonl'), origin, never())).rejects.toThrow(taken);
  });

  it('is refused also when it was taken meanwhile', async () => {
    const file = folder.at('log.jsonl');
    const slow = async function* () {
      writeFileSync(file, 'theirs');
      yield* one;
    };
    await expect(writeLog(file, origin, slow())).rejects.toThrow(taken);
    expect(readFileSync(file, 'utf8')).toBe('theirs');
    expect(readdirSync(folder.at())).toEqual(['log.jsonl']);
  });

  it('is replaced by force: the link, and not what it leads to', async () => {
    writeFileSync(folder.at('theirs'), 'theirs');
    symlinkSync(folder.at('theirs'), folder.at('log.jsonl'));
    await writeLog(folder.at('log.jsonl'), origin, one, { force: true });
    expect(lstatSync(folder.at('log.jsonl')).isFile()).toBe(true);
    expect(readFileSync(folder.at('theirs'), 'utf8')).toBe('theirs');
  });

  it('of a folder is its two files', async () => {
    await writeOpenBandit(folder.at('out'), one);
    await expect(writeOpenBandit(folder.at('out'), one)).rejects.toThrow(taken);
    writeFileSync(folder.at('out', 'notes'), 'mine');
    await writeOpenBandit(folder.at('out'), [recordsOf(2, slotRecord)], { force: true });
    expect(readdirSync(folder.at('out')).toSorted()).toEqual(['bts', 'notes']);
    expect(
      readFileSync(folder.at('out', 'bts', 'all', 'all.csv'), 'utf8')
        .trim()
        .split('\n'),
    ).toHaveLength(3);
  });
});

describe('an interruption leaves nothing, and what was there as it was', () => {
  const broken = async function* () {
    yield recordsOf(5_000, slotRecord);
    yield await Promise.reject(new Error('interrupted'));
  };
  it.each([
    ['jsonl', (at: string) => writeLog(`${at}.jsonl.gz`, origin, broken())],
    ['openbandit', (at: string) => writeOpenBandit(at, broken())],
    ['parquet', (at: string) => writeParquet(`${at}.parquet`, broken())],
  ])('%s', async (_format, write) => {
    await expect(write(folder.at('log'))).rejects.toThrow('interrupted');
    expect(readdirSync(folder.at())).toEqual([]);
  });

  it('under force', async () => {
    writeFileSync(folder.at('log.jsonl'), 'mine');
    await expect(writeLog(folder.at('log.jsonl'), origin, broken(), { force: true })).rejects.toThrow('interrupted');
    expect(readFileSync(folder.at('log.jsonl'), 'utf8')).toBe('mine');
    expect(readdirSync(folder.at())).toEqual(['log.jsonl']);
  });
});

it('shows no file before all are whole', async () => {
  const files = [folder.at('one'), folder.at('two')];
  await writeNewFiles(files, { force: false }, async (temporaries) => {
    for (const file of temporaries) {
      writeFileSync(file, 'x');
      expect(files.filter((name) => existsSync(name))).toEqual([]);
    }
  });
  expect(readdirSync(folder.at()).toSorted()).toEqual(['one', 'two']);
});

it.each([
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'no space left in the quota'],
  ['EIO', 'the device failed'],
])('says why a disk takes no more: %s', async (code, reason) => {
  const files = [folder.at('one'), folder.at('two')];
  const write = ([first = '', second = '']: readonly string[]) => {
    writeFileSync(first, 'whole');
    writeFileSync(second, 'half');
    // The system's error has no path: it is about an open file.
    return Promise.reject(Object.assign(new Error(`${code}: some text, write`), { errno: -1, code, syscall: 'write' }));
  };
  await expect(writeNewFiles(files, { force: false }, write)).rejects.toThrow(
    expect.objectContaining({ name: 'PermanentError', message: `${files[1] ?? ''}: could not be written: ${reason} (${code})` }),
  );
  expect(readdirSync(folder.at())).toEqual([]);
});

it('says what is wrong with a folder that cannot be', async () => {
  writeFileSync(folder.at('file'), '');
  await expect(writeLog(folder.at('file', 'log.jsonl'), origin, one)).rejects.toThrow(
    'file: expected a folder to write to, got something else',
  );
  // A file system that takes no files.
  await expect(writeLog('/proc/log.jsonl', origin, one)).rejects.toThrow('/proc/log.jsonl: expected a folder that can be written to');
  await expect(writeParquet('/proc/log.parquet', one)).rejects.toThrow('/proc/log.parquet: expected a folder that can be written to');
});

it.each([
  ['jsonl', (at: string) => writeLog(at, origin, one)],
  ['openbandit', (at: string) => writeOpenBandit(at, one)],
  ['parquet', (at: string) => writeParquet(at, one)],
])('makes no folder that nobody asked for: %s', async (_format, write) => {
  await expect(write(folder.at('nope', 'log'))).rejects.toThrow('nope: expected a folder to write to, got none of that name');
  await expect(write('/proc/nope/log')).rejects.toThrow('/proc/nope: expected a folder to write to');
  expect(readdirSync(folder.at())).toEqual([]);
});
