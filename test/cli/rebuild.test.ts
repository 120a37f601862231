import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { serveActor } from '../../src/actors/remote.ts';
import { routerCommandSchema } from '../../src/actors/router.ts';
import type { Bus } from '../../src/bus/bus.ts';
import type { Subscription } from '../../src/bus/messenger.ts';
import { snapshotOf, type StateSnapshot } from '../../src/domain/routing/snapshot.ts';
import { emptyRouterState, foldEvent } from '../../src/domain/routing/state.ts';
import { summaryOf } from '../../src/domain/routing/summary.ts';
import type { NonEmpty, SwitchyardEvent } from '../../src/events/index.ts';
import { connectTestBus, startTestNats, type TestNats } from '../support/nats.ts';
import { jsonLines, runCli, testFolder, type TestFolder } from './support/cli.ts';
import { activated, paced, reward } from './support/events.ts';

/** `rebuild` over a real log. The live state is answered by the actors' own server of questions, with the state that the test wants. */
let nats: TestNats;
let bus: Bus;
let raw: NatsConnection;
let folder: TestFolder;
let live: Subscription | undefined;

/** What the log holds, by sequence; the second message cannot be read. */
const messages: readonly (NonEmpty<SwitchyardEvent> | null)[] = [
  [reward('arm-a', 800_000)],
  null,
  [reward('arm-a', 200_000), reward('arm-b', 0)],
  [activated('v1')],
  [paced(1)],
];
const last = messages.length;

const stateAt = (sequence: number): StateSnapshot => {
  const state = emptyRouterState(sequence);
  for (const event of messages.slice(0, sequence).flatMap((events) => events ?? [])) foldEvent(state, event, Date.parse(event.time));
  return snapshotOf(state);
};

beforeAll(async () => {
  nats = await startTestNats();
  bus = await connectTestBus(nats.url);
  folder = testFolder({ nats: { url: nats.url } });
  raw = await connect({ servers: nats.url });
  for (const [index, events] of messages.entries())
    if (events === null) await raw.request('switchyard.event.default.garbage', 'not an event', { timeout: 10_000 });
    else await bus.log.append(events, { idempotencyId: String(index) });
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

const answerLive = async (snapshot: StateSnapshot) => {
  const { sequence } = snapshot;
  live = serveActor(bus.messenger, 'router', routerCommandSchema, () => ({ kind: 'state', sequence, summary: summaryOf(snapshot) }));
  await live.ready;
};

const rebuild = (...args: string[]) => runCli(['rebuild', '--config', folder.config, ...args]);

describe('rebuild', () => {
  it('is equal to the live state: exit code 0, and shows arms, policy and prices', async () => {
    await answerLive(stateAt(last));
    const { status, stdout, stderr } = await rebuild('--log-alone');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('equal to the live state');
    expect(stdout).toMatch(/state at sequence 5, from the log alone, 5 messages/);
    // 0.4 x 0.5 + 0.2 x 0.5 + 0.2 x 0 + 0.2 x 0.9 = 0.48
    expect(stdout).toMatch(/^arm-a +2 +0\.4800 +0\.500 +0\.500 +0\.000 +0\.900 +0 +\$0 +0\.0 ms +0 +2 +1 +1$/m);
    expect(stdout).toContain('policy in force: thompson v1 (static), change 1');
    expect(stdout).toMatch(/^default +1 +\$0\.0100 +- +2\.50 +0\.00$/m);
  });

  it('is compared at the sequence that the live state has reached, not at the end of the log', async () => {
    await answerLive(stateAt(2));
    const { status, stdout } = await rebuild('--log-alone', '--json');
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([
      {
        sequence: 2,
        from: 'log',
        clickhouseSequence: null,
        entriesRead: 2,
        comparedWith: { live: { verdict: 'equal', differences: [] }, log: { verdict: 'not-compared' } },
        blocks: [{ arm: 'arm-a', cell: 'all' }],
      },
    ]);
  });

  it('differs by a millionth: exit code 1, and the difference', async () => {
    const state = stateAt(last);
    const [first, ...rest] = state.blocks;
    if (first === undefined) throw new Error('expected a block');
    await answerLive({ ...state, blocks: [{ ...first, sums: first.sums.map((sum, i) => (i === 6 ? sum - 1 : sum)) }, ...rest] });
    const people = await rebuild('--log-alone');
    expect(people.status).toBe(1);
    expect(people.stdout).toContain('different from the live state:');
    expect(people.stdout).toMatch(/^arms arm-a all cost +1800000 +1799999$/m);
    const programs = await rebuild('--log-alone', '--json');
    expect(programs.status).toBe(1);
    expect(jsonLines(programs.stdout)).toMatchObject([
      {
        comparedWith: {
          live: {
            verdict: 'different',
            differences: expect.arrayContaining([{ what: 'arms arm-a all cost', rebuilt: 1_800_000, other: 1_799_999 }]) as unknown,
          },
        },
      },
    ]);
  });

  it.each([
    ['an arm', (state: StateSnapshot) => ({ ...state, chosen: [...state.chosen, { arm: 'arm-c', decided: 1, ended: 0 }] })],
    ['a policy', (state: StateSnapshot) => ({ ...state, policy: null })],
    ['a price', (state: StateSnapshot) => ({ ...state, paces: state.paces.map((pace) => ({ ...pace, rewardPerUsd: 2.500_000_000_1 })) })],
  ])('%s that is not the same there is a difference', async (_what, change) => {
    await answerLive(change(stateAt(last)));
    expect((await rebuild('--log-alone')).status).toBe(1);
  });

  it('without a router it shows the state, says why it is not compared, and ends with 3', async () => {
    const { status, stdout, stderr } = await rebuild('--log-alone');
    expect(status).toBe(3);
    expect(stdout).toContain('state at sequence 5');
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
    const plain = (sequence: number) => JSON.parse(JSON.stringify(summaryOf(stateAt(sequence)))) as object;
    expect(jsonLines(first.stdout)).toMatchObject([{ ...plain(1), comparedWith: { live: { verdict: 'not-compared' } } }]);
    expect(jsonLines(now.stdout)).toMatchObject([plain(last)]);
    expect(jsonLines(before.stdout)).toMatchObject([{ sequence: 0, arms: [], policy: null }]);
  });

  it('says where the log ends, when it is asked for a state beyond', async () => {
    const [beyond, future, within] = await Promise.all([
      rebuild('--log-alone', '--at', '99999'),
      rebuild('--log-alone', '--at', '2100-01-01T00:00:00Z'),
      rebuild('--log-alone', '--at', String(last)),
    ]);
    expect(beyond).toMatchObject({
      status: 0,
      stderr: `--at sequence 99999 is beyond the end of the log: this is the state at sequence ${last}, where the log ends now\n`,
    });
    expect(future).toMatchObject({
      status: 0,
      stderr: `--at 2100-01-01T00:00:00.000Z is in the future: this is the state at sequence ${last}, where the log ends now\n`,
    });
    expect(within).toMatchObject({ status: 0, stderr: '' });
  });

  it('reads the log alone, and says so, when ClickHouse is away', async () => {
    await answerLive(stateAt(last));
    const { status, stdout, stderr } = await rebuild();
    expect(status).toBe(0);
    expect(stderr).toMatch(/^ClickHouse at http:\/\/127\.0\.0\.1:1 .* cannot be asked, the log alone is read: .+\n$/);
    expect(stdout).toContain('from the log alone');
  });
});
