import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveActor } from '../../src/actors/remote.ts';
import { routerCommandSchema } from '../../src/actors/router.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { Subscription } from '../../src/bus/messenger.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { jsonLines, runCli, testFolder, type TestFolder } from './support/cli.ts';
import { reward } from './support/events.ts';

/** `rebuild` over a real log. The live state is answered by the actors' own server of questions, with the state that the test wants. */
let nats: TestNats;
let bus: Bus;
let raw: NatsConnection;
let folder: TestFolder;
let live: Subscription | undefined;

const armA = { trials: 2, success: 1_000_000, streaming: 1_000_000, cache: 0, cost: 1_800_000 };
const armB = { trials: 1, success: 0, streaming: 500_000, cache: 0, cost: 900_000 };

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  folder = testFolder({ nats: { url: nats.url } });
  await bus.log.append([reward('arm-a', 800_000)], { idempotencyId: '1' });
  raw = await connect({ servers: nats.url });
  await raw.request('switchyard.event.default.garbage', 'not an event');
  await bus.log.append([reward('arm-a', 200_000), reward('arm-b', 0)], { idempotencyId: '3' });
});

afterEach(async () => {
  await live?.close();
  live = undefined;
});

afterAll(async () => {
  await raw.close();
  await bus.close();
  await nats.stop();
  folder.remove();
});

const answerLive = async (sequence: number, evidence: object) => {
  live = serveActor(bus.messenger, 'router', routerCommandSchema, () => ({ kind: 'state', sequence, evidence }));
  await live.ready;
};

const rebuild = (...args: string[]) => runCli(['rebuild', '--config', folder.config, ...args]);

describe('rebuild', () => {
  it('is equal to the live state: exit code 0', async () => {
    await answerLive(3, { 'arm-a': armA, 'arm-b': armB });
    const { status, stdout, stderr } = await rebuild('--log-alone');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('equal to the live state');
    expect(stdout).toMatch(/state at sequence 3, from the log alone, 3 messages/);
    // alpha = 1 + 0.4 x 1 + 0.2 x 1 + 0.2 x 0 + 0.2 x 1.8 = 1.96; beta = 1 + 2 - 0.96 = 2.04; mean = 0.49
    expect(stdout).toMatch(/^arm-a +2 +0\.500 +0\.500 +0\.000 +0\.900 +0\.4900 +1\.96 +2\.04$/m);
  });

  it('is compared at the sequence that the live state has reached, not at the end of the log', async () => {
    await answerLive(2, { 'arm-a': { trials: 1, success: 800_000, streaming: 500_000, cache: 0, cost: 900_000 } });
    const { status, stdout } = await rebuild('--log-alone', '--json');
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([
      { sequence: 2, from: 'log', clickhouseSequence: null, entriesRead: 2, live: 'equal', differences: [] },
    ]);
  });

  it('differs by a millionth: exit code 1, and the difference', async () => {
    await answerLive(3, { 'arm-a': { ...armA, cost: 1_799_999 }, 'arm-b': armB });
    const people = await rebuild('--log-alone');
    expect(people.status).toBe(1);
    expect(people.stdout).toMatch(/^arm-a +cost +1800000 +1799999$/m);
    const programs = await rebuild('--log-alone', '--json');
    expect(programs.status).toBe(1);
    expect(jsonLines(programs.stdout)).toMatchObject([
      { live: 'different', differences: [{ arm: 'arm-a', field: 'cost', rebuilt: 1_800_000, live: 1_799_999 }] },
    ]);
  });

  it('an arm that only the live state knows is a difference', async () => {
    await answerLive(3, { 'arm-a': armA, 'arm-b': armB, 'arm-c': armB });
    expect((await rebuild('--log-alone')).status).toBe(1);
  });

  it('without a router it shows the state, says why it is not compared, and ends with 3', async () => {
    const { status, stdout, stderr } = await rebuild('--log-alone');
    expect(status).toBe(3);
    expect(stdout).toContain('state at sequence 3');
    expect(stderr).toContain('not compared with the live state');
  });

  it('shows the state at a sequence and at a time, without a router', async () => {
    const entry = await bus.log.at((await bus.log.bounds()).last);
    const [first, now, before] = await Promise.all([
      rebuild('--log-alone', '--json', '--at', '1'),
      rebuild('--log-alone', '--json', '--at', new Date((entry?.storedAtMs ?? 0) + 60_000).toISOString()),
      rebuild('--log-alone', '--json', '--at', '2020-01-01'),
    ]);
    expect([first.status, now.status, before.status]).toEqual([0, 0, 0]);
    expect(jsonLines(first.stdout)).toMatchObject([{ sequence: 1, live: 'not-compared', arms: [{ arm: 'arm-a', trials: 1 }] }]);
    expect(jsonLines(now.stdout)).toMatchObject([
      {
        sequence: 3,
        arms: [
          { arm: 'arm-a', ...armA },
          { arm: 'arm-b', ...armB },
        ],
      },
    ]);
    expect(jsonLines(before.stdout)).toMatchObject([{ sequence: 0, arms: [] }]);
  });

  it('reads the log alone, and says so, when ClickHouse is away', async () => {
    await answerLive(3, { 'arm-a': armA, 'arm-b': armB });
    const { status, stdout, stderr } = await rebuild();
    expect(status).toBe(0);
    expect(stderr).toMatch(/^ClickHouse at http:\/\/127\.0\.0\.1:1 .* cannot be asked, the log alone is read: .+\n$/);
    expect(stdout).toContain('from the log alone');
  });
});
