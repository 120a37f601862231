import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { EventOf, SwitchyardEvent } from '../../src/events/index.ts';
import { auditLog, compareWithClickhouse, drained, imperfect, openTestBus, readLog, sql } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/**
 * kill -9 of the worker, again and again, while every request has a shadow and the money is short: no block is granted twice, no window costs more than its budget, and nothing of
 * what requests leave behind changes.
 */
const kills = 4;
const budgetUsdPerHour = 0.12;
let yard: TestYard;
let bus: Bus;
beforeAll(async () => {
  yard = await startTestYard({
    requests: { ackWaitSeconds: 3 },
    shadow: { share: 1, budgetUsdPerHour, perSecond: 1_000, concurrency: 64, answerTokens: 500 },
  });
  bus = await openTestBus(yard);
});
afterAll(async () => {
  await bus.close();
  await yard.close();
});

it(`the budget holds over ${kills} deaths of the worker`, { timeout: 180_000 }, async () => {
  const load = await startLoad(yard, { concurrency: 8, prefix: 'shadowed' });
  for (let death = 0; death < kills; death++) {
    const before = load.sent();
    await eventually(() => load.sent() > before + 50, { what: 'requests to go on' });
    await sleep(Math.random() * 200);
    const pid = yard.pid('worker');
    yard.kill9('worker');
    await eventually(() => yard.pid('worker') !== pid, { what: 'another worker' });
    await yard.ready();
  }
  const told = await load.stop();
  expect(told.filter(({ error, answers }) => error !== null || new Set(answers).size !== 1)).toEqual([]);
  await eventually(async () => imperfect(await auditLog(bus)).length === 0, {
    what: 'every request to be closed',
    everyMs: 500,
  });

  const last = await drained(yard, bus);
  const events = await readLog(bus, last);
  const of = <Type extends SwitchyardEvent['type']>(type: Type) => events.filter((event): event is EventOf<Type> => event.type === type);
  const grants = of('shadow.granted');
  const shadows = of('shadow.completed');
  expect(new Set(grants.map(({ data }) => data.host)).size).toBeGreaterThan(1);
  expect(new Set(grants.map(({ data }) => `${data.windowStart} ${data.block}`)).size).toBe(grants.length);
  for (const window of Map.groupBy(grants, ({ data }) => data.windowStart).values()) {
    const granted = window.reduce((sum, { data }) => sum + data.blockNanoUsd, 0);
    expect(granted).toBeLessThanOrEqual(budgetUsdPerHour * 1e9 * (window[0]!.data.windowMs / 3_600_000));
  }
  const spent = shadows.reduce((sum, { data }) => sum + data.shadow.costNanoUsd, 0);
  expect(spent).toBeGreaterThan(0);
  expect(spent).toBeLessThanOrEqual(grants.reduce((sum, { data }) => sum + data.blockNanoUsd, 0));
  expect(new Set(shadows.map(({ correlationid }) => correlationid)).size).toBe(shadows.length);

  const compared = await compareWithClickhouse(yard, bus, last);
  expect(compared).toEqual({ events: compared.events, rows: compared.events, missing: [], repeated: [] });
  // Nobody waits for a shadow: the last ones may end after the requests.
  await eventually(
    async () => {
      const [row] = await sql<{ n: number }>(yard, `SELECT sum(requests) AS n FROM switchyard.shadow_comparison`);
      return Number(row?.n) === (await readLog(bus)).filter(({ type }) => type === 'shadow.completed').length;
    },
    { what: 'as many shadows in ClickHouse as in the log', everyMs: 500 },
  );
});
