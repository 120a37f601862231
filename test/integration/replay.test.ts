import { fork, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { Bus } from '../../src/bus/bus.ts';
import { streams } from '../../src/bus/jetstream/topology.ts';
import { environmentFor } from '../../src/config/environment.ts';
import { sequence, type EventOf } from '../../src/events/index.ts';
import { jsonLines, runCli } from '../cli/support/cli.ts';
import { readAddress } from '../../src/projections/addresses.ts';
import { readClickhouse } from '../../src/projections/clickhouse.ts';
import { openMaterial } from '../../src/replay/again/material.ts';
import { drained, openTestBus, readLog } from '../support/audit.ts';
import { eventually } from '../support/eventually.ts';
import { startLoad } from '../support/load.ts';
import { all as collected } from '../replay/support/decided-log.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** A period that two worker processes decided, with a swap of the policy and late feedback in the middle, decided again by the command line: from the log, and from ClickHouse once the log has aged. */
let yard: TestYard;
let bus: Bus;
let second: ChildProcess | undefined;
let secondUrl: string;

beforeAll(async () => {
  yard = await startTestYard({ tenants: [{ id: 'default', budget: { usdPerRequest: 0.0001 } }, { id: 'acme' }] });
  bus = await openTestBus(yard);
  const worker = fork(path.join(import.meta.dirname, '../../src/processes/worker.ts'), [], {
    env: environmentFor(yard.settings, { natsUrl: yard.natsUrl, httpPort: 0, sqlPort: Number(new URL(yard.sqlUrl).port) }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  second = worker;
  secondUrl = await new Promise<string>((resolve, reject) => {
    worker.once('message', (message) => {
      resolve((message as { readonly addresses: { readonly http: string } }).addresses.http);
    });
    worker.once('exit', () => {
      reject(new Error('the second worker ended'));
    });
  });
});

afterAll(async () => {
  second?.kill('SIGTERM');
  await bus.close();
  await yard.close();
});

const cli = (...args: readonly string[]) => runCli([...args, '--config', yard.settings.file ?? '']);

const replay = async (...args: readonly string[]) => {
  const { status, stdout, stderr } = await cli('replay', '--json', ...args);
  return { status, stderr, report: jsonLines(stdout)[0] as Record<string, unknown> };
};

/** Requests to both workers until so many have been sent; which were answered. */
const load = async (prefix: string, count: number): Promise<readonly string[]> => {
  const loads = await Promise.all(
    [yard, { ...yard, httpUrl: secondUrl }].map((one, i) => startLoad(one, { concurrency: 8, prefix: `${prefix}-${i}` })),
  );
  await eventually(() => loads.reduce((sum, one) => sum + one.sent(), 0) >= count, { what: `${count} requests`, withinMs: 90_000 });
  const told = await Promise.all(loads.map((one) => one.stop()));
  return told.flat().flatMap(({ id, error }) => (error === null ? [id] : []));
};

const judge = async (requestId: string): Promise<void> => {
  const response = await fetch(`${yard.httpUrl}/v1/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request_id: requestId, thumb: 'down' }),
  });
  expect(response.status).toBe(202);
};

const decisions = async (): Promise<readonly EventOf<'route.decided'>[]> =>
  (await readLog(bus)).filter((event): event is EventOf<'route.decided'> => event.type === 'route.decided');

/** Lets the log forget what is older than a message, as its age limit would: a purge is not permitted. Returns where it begins then. */
const ageTo = async (place: number): Promise<number> => {
  const nc = await connect({ servers: yard.natsUrl });
  try {
    const { streams: manager } = await jetstreamManager(nc);
    const { config } = await manager.info(streams.events);
    const storedAtMs = (await bus.log.at(sequence(place)))?.storedAtMs ?? 0;
    const limit = nanos(Date.now() - storedAtMs);
    await manager.update(streams.events, { max_age: limit, duplicate_window: Math.min(limit, config.duplicate_window) });
    await eventually(async () => (await bus.log.bounds()).first > 1);
    await manager.update(streams.events, { max_age: config.max_age });
    return (await bus.log.bounds()).first;
  } finally {
    await nc.close();
  }
};

it(
  'comes out the same, every decision: from the log alone, with ClickHouse, and when the log has forgotten the beginning',
  { timeout: 240_000 },
  async () => {
    const early = await load('early', 1_000);
    const file = path.join(path.dirname(yard.settings.file ?? ''), 'swapped.yaml');
    writeFileSync(file, stringify({ kind: 'beta-bernoulli-thompson', id: 'swapped' }));
    const [late] = await Promise.all([
      load('late', 1_000),
      cli('policy', 'activate', file).then(({ status, stderr }) => {
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      }),
      Promise.all(early.slice(0, 50).map(judge)),
    ]);
    await load('later', 200);
    const last = await drained(yard, bus);

    const made = await decisions();
    expect(made.length).toBeGreaterThan(early.length + late.length);
    expect(new Set(made.map(({ data }) => data.host)).size).toBe(2);
    expect(new Set(made.map(({ data }) => data.policy.id))).toEqual(new Set(['thompson', 'swapped']));
    const judged = (await readLog(bus)).filter((event) => event.type === 'reward.recorded' && event.data.judgedBy === 'thumb');
    expect(judged.length).toBe(50);

    const all = { decisions: made.length, equal: made.length, different: 0, unchecked: 0 };
    const [logAlone, both] = [await replay('--log-alone', '--to', String(last)), await replay('--to', String(last))];
    expect(logAlone).toMatchObject({ status: 0, report: { ...all, state: { from: 'log', sequence: 0 } } });
    expect(both).toMatchObject({ status: 0, stderr: '', report: all });

    // A period begins with the sums of ClickHouse right before it.
    const from = Math.floor(last / 2);
    const half = await replay('--from', String(from), '--to', String(last));
    expect(half).toMatchObject({
      status: 0,
      stderr: '',
      report: { different: 0, unchecked: 0, state: { from: 'clickhouse', missing: 0 } },
    });
    expect(half.report['state']).toMatchObject({ sequence: expect.toSatisfy((at: number) => at > from - 1_000 && at < from) as number });

    // Opened before the log ages, and read afterwards: a hole that ClickHouse fills, or that is told.
    const clickhouse = readClickhouse({ ...readAddress(yard.settings), url: yard.sqlUrl }, { requestTimeoutMs: 30_000 });
    const opened = await openMaterial({ log: bus.log, clickhouse, prefer: 'log' });
    const alone = await openMaterial({ log: bus.log, clickhouse: null, prefer: 'log' });
    const first = await ageTo(from);
    try {
      const sequences = async (to: number, material = opened) =>
        (await collected(material.read({ from: 1, to }))).map(({ sequence: at }) => at);
      expect(await sequences(last)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
      expect(await sequences(5)).toEqual([1, 2, 3, 4, 5]);
      await expect(sequences(last, alone)).rejects.toThrow(`messages 1 to ${first - 1} left the log while it was read`);
      await expect(sequences(5, alone)).rejects.toThrow('messages 1 to 5 left the log');
    } finally {
      await clickhouse.close();
    }
    const aged = await replay('--to', String(last));
    expect(aged).toMatchObject({ status: 0, stderr: '', report: { ...all, period: { from: 1, to: last } } });
    // Without ClickHouse the state of the rest cannot be had, and that is what it says.
    const forgetful = await replay('--log-alone', '--to', String(last));
    expect(forgetful.status).toBe(1);
    expect(forgetful.stderr).toContain('are not in the log any more');
    expect(forgetful.report).toMatchObject({ byReason: { code: 0, tampered: 0, 'policy-version': 0 }, state: { missing: first - 1 } });
  },
);

it('lets another policy decide on the same requests, the aged ones too', async () => {
  const file = path.join(path.dirname(yard.settings.file ?? ''), 'candidate.yaml');
  writeFileSync(file, stringify({ kind: 'epsilon-greedy', id: 'candidate' }));
  const { status, report } = await replay('--policy', file, '--from', '1');
  expect(status).toBe(0);
  expect(report).toMatchObject({ policy: { id: 'candidate' }, undecided: { 'no-policy': 0, 'out-of-reach': 0 }, unreadable: 0 });
  expect(report['decisions']).toBeGreaterThan(2_000);
});
