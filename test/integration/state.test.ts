import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRemote } from '../../src/actors/remote.ts';
import type { Bus } from '../../src/bus/bus.ts';
import { environmentFor } from '../../src/config/environment.ts';
import { summaryOf, type StateSummary } from '../../src/domain/routing/summary.ts';
import { tickOf } from '../../src/domain/routing/time-blocks.ts';
import { budgetPaced, makeEvent, rewardRecorded, sequence, tenantSchema, type DataOf } from '../../src/events/index.ts';
import { readAddress } from '../../src/projections/addresses.ts';
import { readClickhouse } from '../../src/projections/clickhouse.ts';
import { foldTail, snapshotFromClickhouse, snapshotFromLog } from '../../src/projections/state.ts';
import { drained, openTestBus } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** The state of the router, three ways: as it lives, folded from the log alone, and summed by ClickHouse plus the log's tail. Two processes route; each has it. */
let yard: TestYard;
let bus: Bus;
let second: ChildProcess | undefined;
beforeAll(async () => {
  // A budget, so that the processes set prices, too.
  yard = await startTestYard({ tenants: [{ id: 'default', budget: { usdPerRequest: 0.0001 } }, { id: 'acme' }] });
  bus = await openTestBus(yard);
});
afterAll(async () => {
  second?.kill('SIGTERM');
  await bus.close();
  await yard.close();
});

const liveState = async (): Promise<StateSummary> =>
  ((await askRemote(bus.messenger, 'router', { type: 'state' }, { timeoutMs: 20_000 })) as { readonly summary: StateSummary }).summary;

/** Which of two routers answers is by lot: all twenty by the same one would be odds of one in half a million. */
const bothFolded = (last: number): Promise<readonly StateSummary[]> =>
  eventually(
    async () => {
      const states = await Promise.all(Array.from({ length: 20 }, liveState));
      return states.every(({ sequence }) => sequence >= last) && states;
    },
    { what: `both routers to have folded message ${last}` },
  );

const threeWays = async () => {
  const live = await liveState();
  const to = live.sequence;
  const clickhouse = readClickhouse({ ...readAddress(yard.settings), url: yard.sqlUrl }, { requestTimeoutMs: 10_000 });
  try {
    // Half of the log from ClickHouse, the other half from the log: the seam is where a mistake would show.
    const base = await snapshotFromClickhouse(clickhouse, { atSequence: Math.floor(to / 2) });
    if (base === null) throw new Error('ClickHouse holds nothing');
    const joined = await foldTail(bus.log, base.snapshot, { to });
    const folded = await snapshotFromLog(bus.log, { to });
    return { live, joined: summaryOf(joined), folded: summaryOf(folded) };
  } finally {
    await clickhouse.close();
  }
};

/** Another worker with all roles on the same log; gives back where it takes requests. */
const startSecondWorker = async (): Promise<string> => {
  const worker = fork(path.join(import.meta.dirname, '../../src/processes/worker.ts'), [], {
    env: environmentFor(yard.settings, { natsUrl: yard.natsUrl, httpPort: 0, sqlPort: Number(new URL(yard.sqlUrl).port) }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  second = worker;
  return new Promise((resolve, reject) => {
    worker.once('message', ({ addresses: { http } }: { readonly addresses: { readonly http?: string } }) => {
      if (http === undefined) reject(new Error('expected the worker to say where it serves HTTP'));
      else resolve(http);
    });
    worker.once('exit', () => {
      reject(new Error('the second worker ended'));
    });
  });
};

it('is the same however it comes about, under load, after feedback, and after the death of the worker', { timeout: 180_000 }, async () => {
  const load = await startLoad(yard, { concurrency: 8, prefix: 'state' });
  await eventually(() => load.sent() > 200, { what: '200 requests' });
  const told = await load.stop();
  for (const { id } of told.slice(0, 20)) {
    const response = await fetch(`${yard.httpUrl}/v1/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request_id: id, thumb: 'down' }),
    });
    expect(response.status).toBe(202);
  }
  await drained(yard, bus);
  const before = await threeWays();
  expect(before.live.arms.length).toBeGreaterThan(0);
  expect(before.live.paces.length).toBe(1);
  expect(before.live.policy?.change).toBe(1);
  expect(before.folded).toEqual(before.live);
  expect(before.joined).toEqual(before.live);

  const pid = yard.pid('worker');
  yard.kill9('worker');
  await eventually(() => yard.pid('worker') !== pid, { what: 'another worker' });
  await yard.ready();
  const after = await threeWays();
  expect(after.folded).toEqual(after.live);
  expect(after.joined).toEqual(after.live);
});

it('is the same in two processes that route at the same time', { timeout: 180_000 }, async () => {
  const httpUrl = await startSecondWorker();
  const loads = [
    await startLoad(yard, { concurrency: 4, prefix: 'first' }),
    await startLoad({ ...yard, httpUrl }, { concurrency: 4, prefix: 'second' }),
  ];
  await eventually(() => loads.every((load) => load.sent() > 100), { what: '100 requests of each' });
  const told = await Promise.all(loads.map((load) => load.stop()));
  expect(told.flat().filter(({ error }) => error !== null)).toEqual([]);
  await drained(yard, bus);
  const { last } = await bus.log.bounds();
  const answers = await bothFolded(last);
  // The log is not at rest when the traffic is: prices are set on. Each answer is held to the log up to the message it names.
  for (const [to, alike] of Map.groupBy(answers, ({ sequence }) => sequence)) {
    const folded = summaryOf(await snapshotFromLog(bus.log, { to }));
    for (const answer of alike) expect(answer).toEqual(folded);
  }
  const { live, folded, joined } = await threeWays();
  expect(folded).toEqual(live);
  expect(joined).toEqual(live);
});

it('is not blinded by a moment in the future or a price from nowhere', async () => {
  const before = await liveState();
  const tenant = tenantSchema.parse('default');
  const context = (requestId: string) => ({ tenant, requestId, source: 'switchyard/elsewhere', timeMs: Date.now() });
  const recorded = await lastReward();
  for (const decidedAt of ['9999-12-31T23:59:59.999Z', '2300-01-01T00:00:00.000Z', new Date(Date.now() + 3_600_000).toISOString()])
    await bus.log.append(
      [{ ...makeEvent(rewardRecorded, context('ahead'), { ...recorded, revision: 0, decidedAt }), time: '9999-12-31T23:59:59.999Z' }],
      { idempotencyId: `ahead ${decidedAt}` },
    );
  const [{ tenant: _, ...pace } = before.paces[0]!] = before.paces;
  await bus.log.append(
    [makeEvent(budgetPaced, context('pace'), { ...pace, step: pace.step + 1_000_000, rewardPerUsd: 1e300, stateSequence: sequence(0) })],
    { idempotencyId: 'price from nowhere' },
  );
  const { last } = await bus.log.bounds();
  await bothFolded(last);
  await drained(yard, bus);

  const { live, folded, joined } = await threeWays();
  expect(folded).toEqual(live);
  expect(joined).toEqual(live);
  expect(live.latestTick).toBeLessThanOrEqual(tickOf(Date.now()));
  expect(live.paces[0]?.step).toBeLessThan(pace.step + 1_000_000);
  const trials = (state: StateSummary) => state.arms.reduce((sum, { ended }) => sum + ended, 0);
  expect(trials(live)).toBeGreaterThanOrEqual(trials(before) + 3);
});

const lastReward = async (): Promise<DataOf<'reward.recorded'>> => {
  let found: DataOf<'reward.recorded'> | null = null;
  for await (const entry of bus.log.read({ from: sequence(1) }))
    for (const event of entry.kind === 'events' ? entry.events : [])
      if (event.type === 'reward.recorded' && event.data.cause === 'completion') found = event.data;
  if (found === null) throw new Error('expected a reward in the log');
  return found;
};
