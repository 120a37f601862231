import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PermanentError } from '../../src/errors.ts';
import { findNatsServer, startNatsServer, type NatsServer } from '../../src/processes/nats-server.ts';

let dataDir: string;
const started: NatsServer[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'switchyard-nats-'));
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});
const start = async (options: Partial<Parameters<typeof startNatsServer>[0]> = {}) => {
  const server = await startNatsServer({
    binary: findNatsServer(),
    dataDir,
    port: 0,
    durability: 'os',
    readyTimeoutMs: 20_000,
    ...options,
  });
  started.push(server);
  return server;
};

describe('nats-server', () => {
  test('starts on a free port of loopback, and ends when it is stopped', async () => {
    const server = await start();
    expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
    await server.stop();
    await server.exited;
    expect(() => process.kill(server.pid, 0)).toThrow();
  });

  test.each([
    ['always', 'always'],
    ['second', '1s'],
    ['os', '2m'],
  ] as const)('durability %s syncs as %s', async (durability, interval) => {
    await start({ durability });
    expect(await readFile(path.join(dataDir, 'nats-server.conf'), 'utf8')).toContain(`sync_interval: "${interval}"`);
  });

  test('a taken port is an error that no second try would mend', async () => {
    const { port } = await start();
    const other = await mkdtemp(path.join(tmpdir(), 'switchyard-nats-'));
    try {
      const attempt = start({ port, dataDir: other });
      await expect(attempt).rejects.toBeInstanceOf(PermanentError);
      await expect(attempt).rejects.toThrow(/another process has the one it was given/);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });

  test('a program that is not there is an error that says so', async () => {
    await expect(start({ binary: '/nowhere/nats-server' })).rejects.toThrow(/nowhere.*ENOENT/);
  });

  test('finding takes the first that is new enough, and says what to install when there is none', () => {
    expect(findNatsServer(['/nowhere/nats-server', findNatsServer()])).toBe(findNatsServer());
    expect(() => findNatsServer(['/nowhere/nats-server', process.execPath])).toThrow(/2\.10 or later.*nowhere.*Install it/);
  });
});
