import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Bus } from '../../src/bus/bus.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { jsonLines, runCli, startCli, testFolder, type TestFolder } from './support/cli.ts';
import { failed, reward, stored } from './support/events.ts';

/** `events` and `dead` over a real nats-server: ten requests of two events each, a failure, and a message that nobody can read. */
let nats: TestNats;
let bus: Bus;
let raw: NatsConnection;
let folder: TestFolder;
const requests = 10;
const failureSequence = requests + 1;
const poisonSequence = requests + 2;

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  folder = testFolder({ nats: { url: nats.url } });
  for (let i = 1; i <= requests; i++) {
    const place = { request: `request-${i}`, tenant: i % 2 === 0 ? 'acme' : 'default' };
    await bus.log.append([reward('arm-a', 800_000, place), stored('arm-a', place)], { idempotencyId: `id-${i}` });
  }
  await bus.log.append([failed('it said \u001b[31mno\u001b[0m')], { idempotencyId: 'failure' });
  raw = await connect({ servers: nats.url });
  await raw.request('switchyard.event.default.garbage', new Uint8Array([0xff, 0x00]), { timeout: 10_000 });
  await bus.dead.put({
    reason: 'not-json',
    detail: 'expected JSON\u001b[2J',
    origin: 'switchyard.request.default',
    id: 'dead-1',
    body: new TextEncoder().encode('{"mess\u0007ages"'),
  });
  await bus.dead.put({
    reason: 'undelivered',
    detail: 'five times',
    origin: 'switchyard.work.acme',
    originSequence: 7,
    id: 'dead-2',
    body: new Uint8Array([0xff, 0xfe]),
  });
});

afterAll(async () => {
  await raw.close();
  await bus.close();
  await nats.stop();
  folder.remove();
});

const events = (...args: string[]) => runCli(['events', ...args, '--config', folder.config]);
const placesOf = (stdout: string) => jsonLines(stdout).map((line) => (line as { logsequence: number }).logsequence);

describe('events', () => {
  it('shows the newest, one readable line each, and says what it cannot read', async () => {
    const { status, stdout, stderr } = await events('-n', '4');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/#10\.0 {2}acme {2}reward\.recorded +request-10 {2}arm arm-a 0\.600 by completion/);
    expect(lines[2]).toContain('provider_error: it said no, arm arm-a');
    expect(lines[3]).toContain(`#${poisonSequence} cannot be read (not-json)`);
    expect(stdout).not.toContain('\u001b');
  });

  it('gives programs CloudEvents with their places and nothing else on stdout', async () => {
    const { status, stdout, stderr } = await events('--json', '--since', '10');
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([
      { specversion: '1.0', type: 'reward.recorded', correlationid: 'request-10', logsequence: 10, logindex: 0 },
      { type: 'cache.stored', logsequence: 10, logindex: 1 },
      { type: 'response.failed', logsequence: failureSequence, logindex: 0 },
    ]);
    expect(stderr).toContain(`#${poisonSequence} cannot be read`);
  });

  it('filters by type, concern, tenant and request, also when the newest matches lie far back', async () => {
    expect(placesOf((await events('--json', '--type', 'cache.stored', '--tenant', 'acme', '-n', '2')).stdout)).toEqual([8, 10]);
    expect(placesOf((await events('--json', '--type', 'cache', '--type', 'response', '-n', '2')).stdout)).toEqual([10, failureSequence]);
    expect(placesOf((await events('--json', '--request', 'request-3')).stdout)).toEqual([3, 3]);
    expect(placesOf((await events('--json', '--tenant', 'nobody')).stdout)).toEqual([]);
  });

  it('begins at a sequence, a time or a while ago, and ends after the limit', async () => {
    expect(placesOf((await events('--json', '--since', '4', '-n', '3')).stdout)).toEqual([4, 4, 5]);
    expect(placesOf((await events('--json', '--since', '1h', '-n', '1')).stdout)).toEqual([1]);
    expect(placesOf((await events('--json', '--since', '2200-01-01')).stdout)).toEqual([]);
    expect(placesOf((await events('--json', '--since', '2026-01-01T00:00:00Z', '-n', '1')).stdout)).toEqual([1]);
  });

  it('follows what is appended, and ends with 130 at Ctrl-C', async () => {
    const following = startCli(['events', '-f', '-n', '1', '--type', 'reward', '--json', '--config', folder.config]);
    await following.said('"correlationid":"request-10"');
    await bus.log.append([reward('arm-b', 100_000, { request: 'late' })], { idempotencyId: 'late' });
    await following.said('"correlationid":"late"');
    following.child.kill('SIGINT');
    const { status, stderr } = await following.ended;
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
  });

  it('with a place and a limit, following ends by itself', async () => {
    const following = startCli(['events', '-f', '--since', '1', '-n', '2', '--json', '--config', folder.config]);
    const { status, stdout } = await following.ended;
    expect(status).toBe(0);
    expect(placesOf(stdout)).toEqual([1, 1]);
  });

  it('is quiet when the reader of its pipe goes away', async () => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const shell = spawn(
      'sh',
      ['-c', `"${process.execPath}" "${main}" events -f --since 1 --type reward --json --config "${folder.config}" | head -n 1`],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: process.env['PATH'] },
        detached: true,
      },
    );
    try {
      let stderr = '';
      shell.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
      let status: number | null | undefined;
      shell.once('close', (code) => (status = code));
      // A writer notices that nobody reads when it writes: there is always more to write.
      for (let n = 1; status === undefined; n++) {
        const request = `wakes-the-writer-${n}`;
        await bus.log.append([reward('arm-b', 0, { request })], { idempotencyId: request });
        await sleep(100);
      }
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      try {
        process.kill(-(shell.pid ?? 0), 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
  });

  it('changes nothing: a server without a yard is told so, and gets no streams', async () => {
    const empty = await startTestNats();
    try {
      const { status, stderr } = await runCli(['events', '--nats-url', empty.url, '--config', folder.config]);
      expect(status).toBe(3);
      expect(stderr).toContain('no event log of a yard');
      const connection = await connect({ servers: empty.url });
      const names = await connection.request('$JS.API.STREAM.NAMES', '{}', { timeout: 10_000 });
      expect(names.json()).toMatchObject({ total: 0 });
      await connection.close();
    } finally {
      await empty.stop();
    }
  });
});

describe('dead', () => {
  it('lists letters with reason, origin and a harmless preview, the newest first', async () => {
    const { status, stdout } = await runCli(['dead', '--config', folder.config]);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[1]).toMatch(/^ *2 +\S+Z +undelivered +switchyard\.work\.acme #7 +five times +2 B/);
    expect(lines[2]).toMatch(/not-json +switchyard\.request\.default +expected JSON +\d+ B +\{"mess\u00b7ages"/);
    expect(stdout).not.toContain('\u001b');
  });

  it('gives programs the whole body', async () => {
    const { stdout } = await runCli(['dead', '--json', '-n', '1', '--config', folder.config]);
    expect(jsonLines(stdout)).toMatchObject([
      { sequence: 2, reason: 'undelivered', originSequence: 7, bodyBytes: 2, body: Buffer.from([0xff, 0xfe]).toString('base64') },
    ]);
  });
});
