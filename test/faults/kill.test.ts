import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { auditLog, compareWithClickhouse, drained, imperfect, openTestBus } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/**
 * Processes die at random moments under load, ten times each. Afterwards every accepted request has exactly one decision, one outcome and one reward in the
 * log, and each event one row in ClickHouse; nobody was given two different answers.
 */
const kills = 10;

describe.for(['worker', 'projector', 'nats'] as const)('kill -9 of the %s', (name) => {
  let yard: TestYard;
  let bus: Bus;

  beforeAll(async () => {
    yard = await startTestYard({ requests: { ackWaitSeconds: 3 } });
    bus = await openTestBus(yard);
  });
  afterAll(async () => {
    await bus.close();
    await yard.close();
  });

  it(`loses and repeats nothing over ${kills} deaths under load`, { timeout: 300_000 }, async () => {
    const load = await startLoad(yard, { concurrency: 16, prefix: name });
    for (let death = 0; death < kills; death++) {
      const before = load.sent();
      await eventually(() => load.sent() > before + 20, { what: 'requests to go on' });
      await sleep(Math.random() * 300);
      const pid = yard.pid(name);
      yard.kill9(name);
      await eventually(() => yard.pid(name) !== pid, { what: `another ${name}` });
      await yard.ready();
    }
    const told = await load.stop();

    expect(told.filter(({ error }) => error !== null)).toEqual([]);
    expect(told.filter(({ answers }) => new Set(answers).size !== 1)).toEqual([]);
    const asked = new Set(told.map(({ id }) => id));
    await eventually(async () => imperfect(await auditLog(bus)).length === 0, {
      what: 'the last requests to be closed',
      everyMs: 500,
    }).catch(() => undefined);
    const records = await auditLog(bus);
    expect(imperfect(records)).toEqual([]);
    expect([...asked].filter((id) => records.get(id)?.outcome !== 'completed')).toEqual([]);

    const last = await drained(yard, bus);
    const compared = await compareWithClickhouse(yard, bus, last);
    expect(compared).toEqual({ events: compared.events, rows: compared.events, missing: [], repeated: [] });
    expect(told.length).toBeGreaterThan(kills * 20);
  });
});
