import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** A folder with a space in its name, as clones have them. */
let folder: string;
beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(os.tmpdir(), 'switchyard-infra-')), 'a clone');
  mkdirSync(folder);
});
afterEach(() => {
  rmSync(path.dirname(folder), { recursive: true });
});

/** A program file that prints one line. */
const program = (file: string, line: string) => {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${line}'\n`);
  chmodSync(file, 0o755);
};

const inNode = (source: string, env: NodeJS.ProcessEnv = process.env) =>
  run(process.execPath, ['--input-type=module', '-e', source], { env, cwd: folder });

const moduleUrl = (name: string) => JSON.stringify(new URL(`../../infra/setup/${name}`, import.meta.url).href);

describe('this clone', () => {
  it('runs its tests on the Node of package.json', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
    expect(process.versions.node).toBe(dependencies['node']);
  });

  it('has nothing to do in a second set-up, and says nothing', async () => {
    expect(await run(process.execPath, [path.join(root, 'infra/setup.mjs'), '--everything'])).toEqual({ stdout: '', stderr: '' });
  });
});

describe('the lock of a set-up', () => {
  const work = (log: string) => `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { withLock } from ${moduleUrl('lock.mjs')};
    await withLock('setup.lock', () => {}, async () => {
      appendFileSync(${JSON.stringify(log)}, 'in ');
      await sleep(40);
      appendFileSync(${JSON.stringify(log)}, 'out ');
    });
  `;

  it('lets one in at a time, also when it was left by a process that is gone', async () => {
    // The largest process id of Linux is below this one.
    writeFileSync(path.join(folder, 'setup.lock'), '99999999-1');
    await Promise.all(Array.from({ length: 5 }, () => inNode(work('log'))));
    expect(readFileSync(path.join(folder, 'log'), 'utf8')).toBe('in out '.repeat(5));
    expect(readdirSync(folder)).toEqual(['log']);
  });

  it('is given back when the work fails', async () => {
    const failing = `
      import { withLock } from ${moduleUrl('lock.mjs')};
      await withLock('setup.lock', () => {}, async () => { throw new Error('as planned'); });
    `;
    await expect(inNode(failing)).rejects.toThrow('as planned');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('nats-server', () => {
  const tool = () => path.join(folder, '.switchyard/tools/nats-server');
  const bin = () => path.join(folder, 'bin');
  const make = `
    import { natsServer } from ${moduleUrl('nats-server.mjs')};
    const step = natsServer({ root: process.cwd(), say: () => {} });
    const before = step.ready();
    try { if (!before) await step.make(); console.log(before, step.ready()); } catch (error) { console.log(error.name, error.message); }
  `;
  const step = async () => (await inNode(make, { PATH: `${bin()}:/bin-that-is-not-there` })).stdout;
  beforeEach(() => {
    mkdirSync(bin());
    symlinkSync('/bin/sh', path.join(bin(), 'sh'));
  });

  it('is taken from PATH when it is new enough, by a link', async () => {
    program(path.join(bin(), 'nats-server'), 'nats-server: v2.10.0');
    expect(await step()).toBe('false true\n');
    expect(readlinkSync(tool())).toBe(path.join(bin(), 'nats-server'));
    expect(await step()).toBe('true true\n');
  });

  it('is taken from PATH again after it has moved', async () => {
    program(path.join(folder, 'old', 'nats-server'), 'nats-server: v2.12.1');
    mkdirSync(path.dirname(tool()), { recursive: true });
    symlinkSync(path.join(folder, 'gone'), tool());
    program(path.join(bin(), 'nats-server'), 'nats-server: v2.12.1');
    expect(await step()).toBe('false true\n');
    expect(readlinkSync(tool())).toBe(path.join(bin(), 'nats-server'));
  });

  it('that was fetched stays, whatever old one is on PATH', async () => {
    program(path.join(bin(), 'nats-server'), 'nats-server: v2.9.10');
    program(tool(), 'nats-server: v2.10.27');
    expect(await step()).toBe('true true\n');
  });

  it('that cannot be had ends in one message that says what to install', async () => {
    program(path.join(bin(), 'nats-server'), 'nats-server: v2.9.10');
    const said = await step();
    expect(said).toContain('SetupError nats-server 2.10 or later is needed;');
    expect(said).toContain('v2.9.10');
    expect(said).toContain('brew install nats-server');
    expect(said).toContain('NATS_URL');
    expect(existsSync(tool())).toBe(false);
  });
});

describe('./switchyard', () => {
  beforeEach(() => {
    cpSync(path.join(root, 'switchyard'), path.join(folder, 'switchyard'));
    mkdirSync(path.join(folder, 'node_modules/.bin'), { recursive: true });
    symlinkSync(process.execPath, path.join(folder, 'node_modules/.bin/node'));
    mkdirSync(path.join(folder, 'infra'));
    mkdirSync(path.join(folder, 'src/cli'), { recursive: true });
    writeFileSync(path.join(folder, 'infra/setup.mjs'), 'process.exitCode = Number(process.env.SETUP_FAILS ?? 0);');
    writeFileSync(
      path.join(folder, 'src/cli/main.ts'),
      'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)])); process.exitCode = 7;',
    );
  });

  const answer = async (file: string, args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv }) =>
    run(file, args, options).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: unknown) => error as { code: number; stdout: string },
    );

  it.each([
    ['by its path', ''],
    ['through a link to it', 'link'],
    ['through a relative link to a link', 'link of link'],
  ])('runs %s, with the arguments, the working folder and the exit code as they are', async (_how, name) => {
    const elsewhere = path.join(path.dirname(folder), 'else where');
    mkdirSync(elsewhere);
    symlinkSync(path.join(folder, 'switchyard'), path.join(elsewhere, 'link'));
    symlinkSync('link', path.join(elsewhere, 'link of link'));
    const { code, stdout } = await answer(
      name === '' ? path.join(folder, 'switchyard') : path.join(elsewhere, name),
      ['chat', 'two words', ''],
      {
        cwd: elsewhere,
      },
    );
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toEqual([elsewhere, 'chat', 'two words', '']);
  });

  it('stops where the set-up fails', async () => {
    const { code, stdout } = await answer(path.join(folder, 'switchyard'), [], { cwd: folder, env: { ...process.env, SETUP_FAILS: '1' } });
    expect([code, stdout]).toEqual([1, '']);
  });
});

describe('the line that CI ends with', () => {
  const count = async (report: unknown) => {
    writeFileSync(path.join(folder, 'report.json'), typeof report === 'string' ? report : JSON.stringify(report));
    return (await run(process.execPath, [path.join(root, '.ci/count.mjs'), path.join(folder, 'report.json')])).stdout;
  };
  const report = { numPassedTests: 3, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [] };

  it.each([
    ['counts', report, '3 passed, 1 failed\n'],
    ['names what was skipped', { ...report, numPendingTests: 2 }, '3 passed, 1 failed, 2 skipped\n'],
    ['counts a file that did not load', { ...report, testResults: [{ status: 'failed', assertionResults: [] }] }, '3 passed, 2 failed\n'],
    ['counts a report that is no report', '{', '0 passed, 1 failed\n'],
  ])('%s', async (_what, given, line) => {
    expect(await count(given)).toBe(line);
  });
});
