import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { sequence } from '../../src/events/index.ts';
import { readAddress } from '../../src/projections/addresses.ts';
import { readClickhouse } from '../../src/projections/clickhouse.ts';
import { evidenceFromClickhouse, evidenceFromLog, foldTail } from '../../src/projections/evidence.ts';
import { drained, openTestBus } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** The state of the router, three ways: as it lives, folded from the log alone, and summed by ClickHouse plus the log's tail. */
let yard: TestYard;
let bus: Bus;
beforeAll(async () => {
  yard = await startTestYard();
  bus = await openTestBus(yard);
}, 120_000);
afterAll(async () => {
  await bus.close();
  await yard.close();
}, 60_000);

type LiveState = { readonly sequence: number; readonly evidence: Readonly<Record<string, unknown>> };

const liveState = async (): Promise<LiveState> => {
  const asked = await bus.messenger.ask('switchyard.actor.router', new TextEncoder().encode('{"type":"state"}'), { timeoutMs: 2_000 });
  if (asked.kind !== 'answer') throw new Error(asked.kind);
  return (JSON.parse(new TextDecoder().decode(asked.body)) as { reply: LiveState }).reply;
};

const plain = (evidence: ReadonlyMap<string, unknown>) => Object.fromEntries([...evidence].sort(([a], [b]) => (a < b ? -1 : 1)));
const sorted = (evidence: Readonly<Record<string, unknown>>) => plain(new Map(Object.entries(evidence)));

const threeWays = async () => {
  const live = await liveState();
  const at = sequence(live.sequence);
  const clickhouse = readClickhouse({ ...readAddress(yard.settings), url: yard.sqlUrl }, { requestTimeoutMs: 10_000 });
  try {
    // Half of the log from ClickHouse, the other half from the log: the seam is where a mistake would show.
    const base = await evidenceFromClickhouse(clickhouse, { atSequence: Math.floor(live.sequence / 2) });
    if (base === null) throw new Error('ClickHouse holds nothing');
    const joined = await foldTail(bus.log, base, { to: at });
    const folded = await evidenceFromLog(bus.log, { to: at });
    return { live: sorted(live.evidence), joined: plain(joined.evidence), folded: plain(folded.evidence) };
  } finally {
    await clickhouse.close();
  }
};

it('is the same however it comes about, under load, after feedback, and after the death of the worker', { timeout: 180_000 }, async () => {
  const load = await startLoad(yard, { concurrency: 8, prefix: 'state' });
  await waitUntil('200 requests', () => load.sent() > 200, { timeoutMs: 60_000 });
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
  expect(Object.keys(before.live).length).toBeGreaterThan(0);
  expect(before.folded).toEqual(before.live);
  expect(before.joined).toEqual(before.live);

  const pid = yard.pid('worker');
  yard.kill9('worker');
  await waitUntil('another worker', () => yard.pid('worker') !== pid);
  await yard.ready();
  const after = await threeWays();
  expect(after.folded).toEqual(after.live);
  expect(after.joined).toEqual(after.live);
  expect(JSON.stringify(after.live)).toContain('trials');
});
