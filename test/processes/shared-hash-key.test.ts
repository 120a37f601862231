import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { loadSettings } from '../../src/config/load.ts';
import { agreeOnHashKey } from '../../src/processes/shared-hash-key.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';

/** Processes of one NATS, each with a data folder of its own. */
let folder: string;
let nats: TestNats;
let bus: Bus;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'switchyard-shared-key-'));
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
});
afterEach(async () => {
  await bus.close();
  await nats.stop();
  rmSync(folder, { recursive: true });
});

const lines: string[] = [];
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });

const start = async (name: string, env: Readonly<Record<string, string>> = {}) => {
  const settings = loadSettings({ env: { ...env, SWITCHYARD_DATA_DIR: path.join(folder, name) } });
  lines.length = 0;
  const key = await agreeOnHashKey({ agreement: bus.hashKey, settings, logger });
  return Buffer.from(key).toString('hex');
};
const fileOf = (name: string, file = 'hash-key') => readFileSync(path.join(folder, name, file), 'utf8').trim();
const given = (digits: string) => ({ SWITCHYARD_HASH_KEY: digits.repeat(32) });

it('is that of whoever came first, and stays in the data folder of each', async () => {
  const first = await start('first');
  expect(fileOf('first')).toBe(first);
  const before = Buffer.from(loadSettings({ env: { SWITCHYARD_DATA_DIR: path.join(folder, 'second') } }).secrets.hashKey).toString('hex');
  expect(await start('second')).toBe(first);
  expect(before).not.toBe(first);
  expect([fileOf('second'), fileOf('second', 'hash-key.before')]).toEqual([first, before]);
  expect(statSync(path.join(folder, 'second', 'hash-key')).mode & 0o777).toBe(0o600);
  expect(lines.join('')).not.toContain(first);
  expect(await start('first')).toBe(first);
  expect(await start('second')).toBe(first);
  expect(lines).toEqual([]);
});

it('is that of an installation that has one already', async () => {
  loadSettings({ env: { SWITCHYARD_DATA_DIR: path.join(folder, 'old') } });
  const kept = fileOf('old');
  expect(await start('old')).toBe(kept);
  expect(await start('new')).toBe(kept);
});

it('that the environment gives is used, told where it differs, and never stored', async () => {
  const shared = await start('first');
  expect(await start('other', given('0f'))).toBe('0f'.repeat(32));
  expect(lines.join('')).toMatch(/"level":40.*SWITCHYARD_HASH_KEY differs .* Set the same SWITCHYARD_HASH_KEY everywhere, or leave it out/);
  expect(await start('same', { SWITCHYARD_HASH_KEY: shared })).toBe(shared);
  expect(lines).toEqual([]);
});

it('that the environment gave to the first has to be given to the others', async () => {
  expect(await start('first', given('0f'))).toBe('0f'.repeat(32));
  const standing = new TextDecoder().decode(await bus.hashKey.offer(new Uint8Array()));
  expect(JSON.parse(standing)).toEqual({ fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string, key: null });
  expect(await start('second', given('0f'))).toBe('0f'.repeat(32));
  await expect(start('third')).rejects.toThrow(/expected SWITCHYARD_HASH_KEY.*Set SWITCHYARD_HASH_KEY as it is set there/);
});

it('that is not one is refused, and not shown', async () => {
  await bus.hashKey.offer(new TextEncoder().encode('hunter2'));
  const refused = start('first').catch((error: unknown) => String(error));
  expect(await refused).toMatch(/expected the shared key .* got something else \(hidden\)/);
  expect(await refused).not.toContain('hunter2');
});

it('of a folder is refused when it is no key', async () => {
  await start('first');
  writeFileSync(path.join(folder, 'first', 'hash-key'), 'x');
  await expect(start('first')).rejects.toThrow(/expected 64 hexadecimal digits/);
});
