import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { isAlive, readRun } from '../../src/processes/run-file.ts';
import { up } from '../../src/processes/up.ts';
import { eventually } from '../support/eventually.ts';
import { writeConfig } from '../support/yard.ts';

/** The parent of all processes dies and can tell none of them: the next start must find its way. */
it('a yard whose `up` was killed with kill -9 starts again, on the same data and without a second nats-server', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'switchyard-up-'));
  const file = writeConfig(folder);
  const settings = loadSettings({ file });
  const { dataDir } = settings.config;
  const first = spawn(process.execPath, [path.join(import.meta.dirname, '../../src/cli/main.ts'), 'up', '--config', file], {
    stdio: 'ignore',
  });
  const run = await eventually(() => readRun(dataDir), { what: 'the first yard' });
  const ask = async (url: string | null, id: string) =>
    (
      await fetch(`${url ?? ''}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'before and after' }] }),
      })
    ).text();
  const before = await ask(run.httpUrl, 'asked-before');

  first.kill('SIGKILL');
  await once(first, 'exit');
  const nats = run.natsPid ?? 0;
  expect(isAlive(nats)).toBe(true);
  // Worker and projector notice that their parent is gone.
  await eventually(
    async () =>
      !(await fetch(`${run.httpUrl ?? ''}/healthz`).then(
        () => true,
        () => false,
      )),
    { what: 'the worker to end' },
  );
  await eventually(
    async () =>
      !(await fetch(`${run.sqlUrl ?? ''}/ping`).then(
        () => true,
        () => false,
      )),
    { what: 'the projector to end' },
  );

  const second = await up(settings, { logger: pino({ level: 'silent' }) });
  try {
    expect(isAlive(nats)).toBe(false);
    const again = await ask(second.run.httpUrl, 'asked-before');
    const contentOf = (text: string) => (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
    expect(contentOf(again)).toBe(contentOf(before));
    expect(readFileSync(path.join(dataDir, 'run.json'), 'utf8')).toContain(`"natsPid": ${second.pids().nats ?? 0}`);
  } finally {
    await second.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
