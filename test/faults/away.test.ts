import { headers as natsHeaders, connect } from '@nats-io/transport-node';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { auditLog, compareWithClickhouse, drained, imperfect, openTestBus, sql } from '../support/audit.ts';
import { startLoad } from '../support/load.ts';
import { eventually } from '../support/eventually.ts';
import { startTestYard, type TestYard } from '../support/yard.ts';

/** Parts that are missing or fed with garbage: the request path goes on, and what was missed is made up for. */
let yard: TestYard;
let bus: Bus;
beforeAll(async () => {
  yard = await startTestYard();
  bus = await openTestBus(yard);
});
afterAll(async () => {
  await bus.close();
  await yard.close();
});

const ask = async (id: string): Promise<number> => {
  const response = await fetch(`${yard.httpUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': id },
    body: JSON.stringify({ messages: [{ role: 'user', content: `question ${id}` }] }),
  });
  await response.text();
  return response.status;
};

describe('ClickHouse away for a minute', () => {
  it('requests go on, and the lag is caught up', { timeout: 180_000 }, async () => {
    // Stopped, not killed: it holds its data and answers nobody, as a server that has hung.
    const projector = yard.pid('projector');
    process.kill(projector, 'SIGSTOP');
    const load = await startLoad(yard, { concurrency: 4, prefix: 'away' });
    await sleep(60_000);
    const told = await load.stop();
    process.kill(projector, 'SIGCONT');

    expect(told.length).toBeGreaterThan(100);
    expect(told.filter(({ error, answers }) => error !== null || answers.length === 0)).toEqual([]);
    await eventually(async () => imperfect(await auditLog(bus)).length === 0, {
      what: 'every request to be closed',
      everyMs: 500,
    });
    const last = await drained(yard, bus);
    const compared = await compareWithClickhouse(yard, bus, last);
    expect(compared).toEqual({ events: compared.events, rows: compared.events, missing: [], repeated: [] });
  });
});

describe('poison', () => {
  const garbage = new TextEncoder().encode('{"this is not": "an event"');

  it('in the event log: one dead letter, a row that says so, and everything after it', async () => {
    const nc = await connect({ servers: yard.natsUrl });
    nc.publish('switchyard.event.default.route.decided', garbage);
    nc.publish('switchyard.event.default.no.such', new TextEncoder().encode('{"type":"no.such","schemaversion":1,"data":{}}'));
    await nc.flush();
    expect(await ask('after-poison-1')).toBe(200);
    await eventually(async () => (await bus.dead.list({ limit: 100 })).filter(({ reason }) => reason === 'poison-event').length >= 2, {
      what: 'two dead letters',
    });
    await drained(yard, bus);
    expect(Number((await sql<{ n: string }>(yard, "SELECT count() AS n FROM switchyard.events WHERE type = '_poison'"))[0]?.n)).toBe(2);
    expect((await auditLog(bus)).get('after-poison-1')?.outcome).toBe('completed');
    await nc.close();
  });

  it('in the work queue: one dead letter with the body, and the next request is answered', async () => {
    const nc = await connect({ servers: yard.natsUrl });
    const headers = natsHeaders();
    headers.set('Nats-Msg-Id', 'poison-in-the-queue');
    await nc.request('switchyard.work.default', garbage, { headers, timeout: 5_000 });
    const letter = await eventually(
      async () => (await bus.dead.list({ limit: 100 })).find(({ body }) => Buffer.from(body).equals(Buffer.from(garbage)) && true),
      { what: 'a dead letter' },
    );
    expect(letter.reason).not.toBe('');
    const answer = (
      await nc.request('switchyard.request.default', JSON.stringify({ messages: [{ role: 'user', content: 'after the poison' }] }), {
        timeout: 10_000,
      })
    ).json<{ type: string }>();
    expect(answer.type).toBe('final');
    await nc.close();
  });

  it('as a notice of an undelivered request: one dead letter', async () => {
    const nc = await connect({ servers: yard.natsUrl });
    nc.publish('$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.SWITCHYARD_REQUESTS.workers', garbage);
    await eventually(async () => (await bus.dead.list({ limit: 100 })).some(({ reason }) => reason === 'poison-notice'), {
      what: 'a dead letter',
    });
    expect(await ask('after-poison-3')).toBe(200);
    await nc.close();
  });

  it('as a request and as feedback over NATS: refused with a code where somebody can hear it, a dead letter where not', async () => {
    const nc = await connect({ servers: yard.natsUrl });
    for (const subject of ['switchyard.request.default', 'switchyard.feedback.default']) {
      const heard = (await nc.request(subject, garbage, { timeout: 5_000 })).json<{ code?: string; error?: { code: string } }>();
      expect(heard.code ?? heard.error?.code).toBe('invalid_json');
      const before = (await bus.dead.list({ limit: 1_000 })).length;
      nc.publish(subject, garbage);
      await eventually(async () => (await bus.dead.list({ limit: 1_000 })).length > before, {
        what: `a dead letter from ${subject}`,
      });
    }
    expect(await ask('after-poison-2')).toBe(200);
    await nc.close();
  });
});

describe('a retry', () => {
  it('with the same id is given the recorded answer, and recorded once', async () => {
    const send = () =>
      fetch(`${yard.httpUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'asked-twice', 'cache-control': 'no-store' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'asked twice' }] }),
      });
    const [first, second] = await Promise.all([send(), send()]);
    const third = await send();
    const texts = await Promise.all(
      [first, second, third].map(
        async (response) => ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content,
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(third.headers.get('x-switchyard-repeated')).toBe('true');
    const record = (await auditLog(bus)).get('asked-twice');
    expect(record).toMatchObject({ decisions: 1, outcomes: 1, rewards: 1 });
  });

  it('with the same id and another question is refused', async () => {
    const send = (content: string) =>
      fetch(`${yard.httpUrl}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'reused' },
        body: JSON.stringify({ messages: [{ role: 'user', content }] }),
      });
    expect((await send('one')).status).toBe(200);
    const refused = await send('another');
    expect(refused.status).toBe(422);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe('request_id_reused');
  });
});
