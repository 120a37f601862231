import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { runCli, stackTrace, startCli } from './support/cli.ts';

/** Files that are none, disks that take no more, signals: what commands make of them. No device is ever written to but /dev/full, as standard output. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'yard-files-'));
  writeFileSync(at('log.csv'), `${[header, ...Array.from({ length: 300 }, (_, i) => `${i},${row}`)].join('\n')}\n`);
  writeFileSync(at('policy.json'), JSON.stringify([[0.5], [0.5]]));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const header = ',timestamp,item_id,position,click,propensity_score';
const row = '2019-11-24 00:00:00+00:00,1,1,1,0.5';
const at = (name: string): string => path.join(folder, name);
const importLog = (log: string, out: string, ...args: readonly string[]) => [
  'import',
  log,
  '--format',
  'openbandit',
  '--out',
  at(out),
  ...args,
];
const evaluate = (...args: readonly string[]) => ['evaluate', '--file', at('log.jsonl'), '--resamples', '10', ...args];
const imported = async (): Promise<void> => {
  expect(await runCli(importLog(at('log.csv'), 'log.jsonl'))).toMatchObject({ status: 0 });
};
/** Node keeps what it compiled in files, which are larger than the test allows. */
const uncached = { NODE_DISABLE_COMPILE_CACHE: '1' };

describe('a device is refused wherever a file is read', () => {
  it.each([
    ['config', () => ['config', 'check', '--config', '/dev/zero']],
    ['policy', () => evaluate('--policy', '/dev/zero')],
    ['policy of a log', () => ['evaluate', '--policy', '/dev/zero']],
    ['prices', () => evaluate('--policy', at('policy.json'), '--prices', '/dev/zero')],
    ['log', () => ['evaluate', '--file', '/dev/zero', '--policy', at('policy.json')]],
    ['log to import', () => importLog('/dev/zero', 'new.jsonl')],
    ['names of items', () => importLog(at('log.csv'), 'new.jsonl', '--item-context', '/dev/zero')],
    ['distribution', () => importLog(at('log.csv'), 'new.jsonl', '--action-dist', '/dev/zero')],
    ['offline records', () => ['policy', 'warm-start', '/dev/zero']],
  ])('%s', async (_what, args) => {
    await imported();
    const before = readdirSync(folder);
    const { status, stdout, stderr } = await runCli(args());
    expect(stderr).toMatch(/\/dev\/zero: expected a file(?:, which is read twice)?, got a device\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('and so is one behind a link, and a pipe that nobody writes to', async () => {
    symlinkSync('/dev/zero', at('link.yaml'));
    expect((await runCli(['config', 'check', '--config', at('link.yaml')])).stderr).toContain('expected a file, got a device');
    spawnSync('/bin/sh', ['-c', 'mkfifo "$1"', 'sh', at('pipe')]);
    const pipes = [importLog(at('pipe'), 'new.jsonl'), importLog(at('log.csv'), 'new.jsonl', '--item-context', at('pipe'))];
    for (const args of pipes) expect((await runCli(args)).stderr).toContain('expected a file, got a pipe');
  });

  it.each([
    ['a pipe', 'cat "$1" | "$2" "$3" config check --config /dev/stdin'],
    ['a pipe by its number', 'cat "$1" | { exec 4<&0; "$2" "$3" config check --config /dev/fd/4; }'],
    ['a file', '"$2" "$3" config check --config /dev/stdin < "$1"'],
  ])('but not what a shell has opened: %s', (_what, line) => {
    const [yaml = '', main = ''] = ['../../switchyard.yaml', '../../src/cli/main.ts'].map((name) =>
      fileURLToPath(new URL(name, import.meta.url)),
    );
    const { status, stdout } = spawnSync('/bin/sh', ['-c', line, 'sh', yaml, process.execPath, main], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(stdout).toContain(': ok (');
    expect(status).toBe(0);
  });

  it('and a file is read as far as its bound and no further', async () => {
    // Sixteen gigabytes that take no space, more than one read can hold.
    writeFileSync(at('huge.yaml'), '');
    truncateSync(at('huge.yaml'), 16 * 1024 ** 3);
    const { status, stderr } = await runCli(['config', 'check', '--config', at('huge.yaml')]);
    expect(stderr).toContain('expected at most 4194304 bytes, got more');
    expect(status).toBe(2);
  });
});

describe('a disk that takes no more is told in a sentence, exit code 2, and nothing is left', () => {
  it.each([
    ['import', 'large.jsonl', () => importLog(at('log.csv'), 'large.jsonl')],
    ['evaluate --html', 'page.html', () => evaluate('--policy', at('policy.json'), '--html', at('page.html'))],
  ])('%s', async (_what, name, args) => {
    await imported();
    const before = readdirSync(folder);
    const { status, stdout, stderr } = await runCli(args(), { before: 'ulimit -f 8', env: uncached });
    expect(stderr).toContain(`switchyard: ${at(name)}: could not be written: the file would be larger than it may be (EFBIG)\n`);
    expect(stderr).not.toMatch(stackTrace);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('standard output', async () => {
    const { status, stderr } = await runCli(['--help'], { before: 'exec > /dev/full' });
    expect(stderr).toBe('switchyard: standard output: could not be written: no space left on the device (ENOSPC)\n');
    expect(status).toBe(2);
  });

  it('of notes alone results and exit code do not depend', async () => {
    const { status, stdout } = await runCli(importLog(at('log.csv'), 'log.jsonl', '--json'), { before: 'exec 2> /dev/full' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ records: 300 });
  });
});

describe('a signal', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s leaves nothing of a file that is not whole, exit code %i', async (signal, exitCode) => {
    // Rows without an end.
    const before = `mkfifo '${at('pipe')}'; awk 'BEGIN { print "${header}"; for (i = 1; ; i++) print i ",${row}" }' > '${at('pipe')}' 2> /dev/null & exec 3< '${at('pipe')}'`;
    const { child, ended } = startCli(importLog('/dev/fd/3', 'endless.jsonl'), { before });
    await eventually(() => readdirSync(folder).some((name) => name.endsWith('.partial')));
    child.kill(signal);
    expect(await ended).toMatchObject({ status: exitCode, signal: null, stderr: '' });
    expect(readdirSync(folder).toSorted()).toEqual(['log.csv', 'pipe', 'policy.json']);
  });

  it('that comes twice leaves nothing either', async () => {
    const files = fileURLToPath(new URL('../../src/replay/interchange/new-files.ts', import.meta.url));
    const terminal = fileURLToPath(new URL('../../src/cli/terminal.ts', import.meta.url));
    const script = `
      import { writeFileSync } from 'node:fs';
      import { openTerminal } from ${JSON.stringify(terminal)};
      import { writeNewFiles } from ${JSON.stringify(files)};
      openTerminal().interrupted();
      setInterval(() => undefined, 1_000);
      await writeNewFiles([${JSON.stringify(at('new'))}], { force: false }, async ([file]) => {
        writeFileSync(file, 'half');
        process.once('SIGTERM', () => process.kill(process.pid, 'SIGTERM'));
        process.kill(process.pid, 'SIGTERM');
        await new Promise(() => undefined);
      });`;
    expect(ran(script)).toMatchObject({ status: 143 });
    expect(readdirSync(folder).toSorted()).toEqual(['log.csv', 'policy.json']);
  });

  it('that comes when all is done turns nothing into a failure', () => {
    const terminal = fileURLToPath(new URL('../../src/cli/terminal.ts', import.meta.url));
    const script = (done: string) => `
      import { openTerminal } from ${JSON.stringify(terminal)};
      const terminal = openTerminal();
      terminal.interrupted();
      ${done}
      process.once('SIGTERM', () => process.exit(terminal.interruption() ?? 0));
      setInterval(() => undefined, 1_000);
      process.kill(process.pid, 'SIGTERM');`;
    expect(ran(script('terminal.done();'))).toMatchObject({ status: 0 });
    expect(ran(script(''))).toMatchObject({ status: 143 });
  });
});

const ran = (script: string) =>
  spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', timeout: 20_000 });

describe('what is read is not replaced by what is made of it', () => {
  it.each([
    ['evaluate, policy', '--html', 'policy.json', () => evaluate('--policy', at('policy.json'), '--replace', '--html', at('policy.json'))],
    ['evaluate, log', '--html', 'log.jsonl', () => evaluate('--policy', at('policy.json'), '--replace', '--html', at('log.jsonl'))],
    [
      'evaluate, prices',
      '--html',
      'prices.yaml',
      () => evaluate('--policy', at('policy.json'), '--prices', at('prices.yaml'), '--replace', '--html', `${folder}/./prices.yaml`),
    ],
    ['import', '--out', 'log.csv', () => importLog(at('log.csv'), 'log.csv', '--force')],
    [
      'replay',
      '--out',
      'policy.json',
      () => ['replay', '--policy', at('policy.json'), '--log-alone', '--force', '--out', at('policy.json')],
    ],
  ])('%s', async (_what, option, name, args) => {
    await imported();
    writeFileSync(at('prices.yaml'), 'a: { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 1 }\n');
    const before = readFileSync(at(name), 'utf8');
    const { status, stderr } = await runCli(args());
    expect(stderr).toContain(`${option}: expected another file than ${at(name)}, which is read; got `);
    expect(status).toBe(2);
    expect(readFileSync(at(name), 'utf8')).toBe(before);
  });
});
