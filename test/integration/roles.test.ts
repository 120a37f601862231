import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { environmentFor } from '../../src/config/environment.ts';
import { auditLog, compareWithClickhouse, drained, imperfect, openTestBus } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** The same actors, each role in a process of its own: the gateway is the yard's worker, the others are started beside it. */
let yard: TestYard;
let bus: Bus;
const processes: ChildProcess[] = [];

const startRole = async (role: string) => {
  const worker = fork(path.join(import.meta.dirname, '../../src/processes/worker.ts'), [role], {
    env: environmentFor(yard.settings, { natsUrl: yard.natsUrl, httpPort: 0, sqlPort: Number(new URL(yard.sqlUrl).port) }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  processes.push(worker);
  const ready = Promise.withResolvers<void>();
  worker.once('message', () => {
    ready.resolve();
  });
  worker.once('exit', () => {
    ready.reject(new Error(`${role} ended`));
  });
  await ready.promise;
};

beforeAll(async () => {
  yard = await startTestYard({}, { roles: 'gateway' });
  bus = await openTestBus(yard);
  for (const role of ['router', 'cache', 'streamer']) await startRole(role);
  await yard.ready();
});

afterAll(async () => {
  await bus.close();
  for (const worker of processes) {
    worker.removeAllListeners('exit');
    worker.kill('SIGTERM');
  }
  await yard.close();
});

it('answers over HTTP and NATS with every role apart, once each, and hits the cache', async () => {
  const load = await startLoad(yard, { concurrency: 8, prefix: 'apart' });
  await eventually(() => load.sent() > 200, { what: '200 requests' });
  const told = await load.stop();
  expect(told.filter(({ error, answers }) => error !== null || answers.length === 0)).toEqual([]);

  const ask = () =>
    fetch(`${yard.httpUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'the same question' }] }),
    });
  await (await ask()).text();
  // The cache's process learns of the stored answer from the log.
  await eventually(
    async () => {
      const response = await ask();
      await response.text();
      return response.headers.get('x-switchyard-cache') === 'hit';
    },
    { what: 'a hit' },
  );

  const records = await eventually(
    async () => {
      const audited = await auditLog(bus);
      return imperfect(audited).length === 0 && audited;
    },
    { what: 'every request to be closed' },
  );
  expect(told.filter(({ id }) => records.get(id)?.outcome !== 'completed')).toEqual([]);
  const last = await drained(yard, bus);
  const compared = await compareWithClickhouse(yard, bus, last);
  expect(compared).toEqual({ events: compared.events, rows: compared.events, missing: [], repeated: [] });
});
