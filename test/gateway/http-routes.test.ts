import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import { TransientError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { waitUntil } from '../support/wait-until.ts';
import { gatewayConfig } from './support/gateway-config.ts';
import { chatBody, errorOf, post, startHttp } from './support/http.ts';
import { finished, scriptedAnswering, started, text } from './support/scripted-answering.ts';

describe('GET /v1/models', () => {
  it('lists "auto", the models and the enabled arms, and each of them by its name', async () => {
    const { address } = await startHttp();
    const list = (await (await fetch(`${address}/v1/models`)).json()) as { data: { id: string; switchyard: object }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['auto', 'small', 'org/large', 'small-plain', 'large-plain']);
    expect(list.data[3]).toMatchObject({
      object: 'model',
      owned_by: 'switchyard',
      switchyard: { kind: 'arm', model: 'small', simulated: true },
    });
    for (const { id } of list.data) {
      for (const path of [id, encodeURIComponent(id)]) {
        const one = await fetch(`${address}/v1/models/${path}`);
        expect(await one.json()).toMatchObject({ id });
      }
    }
    const lost = await fetch(`${address}/v1/models/nobody`);
    expect(lost.status).toBe(404);
    expect(await errorOf(lost)).toMatchObject({ code: 'model_not_found' });
  });
});

describe('health', () => {
  it('is alive at once, and ready when all of its parts are', async () => {
    let ready = false;
    const { address } = await startHttp({
      readiness: () => [
        { part: 'bus', ready: true, detail: 'connected' },
        { part: 'router', ready, detail: ready ? 'live' : 'rebuilding' },
      ],
    });
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    const before = await fetch(`${address}/readyz`);
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({
      status: 'not_ready',
      parts: { bus: { ready: true, detail: 'connected' }, router: { ready: false, detail: 'rebuilding' } },
    });
    ready = true;
    const after = await fetch(`${address}/readyz`);
    expect(after.status).toBe(200);
    expect(await after.json()).toMatchObject({ status: 'ready' });
  });
});

describe('POST /v1/feedback', () => {
  const start = async () => {
    const bus = createMemoryBus({ config: gatewayConfig() });
    const { address } = await startHttp({ log: bus.log });
    const eventsAt = async (at: number) => {
      const entry = await bus.log.at(sequence(at));
      return entry?.kind === 'events' ? entry.events : [];
    };
    return { bus, eventsAt, send: (body: unknown, headers = {}) => post(address, body, headers, '/v1/feedback') };
  };

  it.each([
    [{ thumb: 'up' }, { kind: 'thumb', scoreMicro: 1_000_000 }],
    [{ thumb: 'down' }, { kind: 'thumb', scoreMicro: 0 }],
    [{ score: 0.25 }, { kind: 'score', scoreMicro: 250_000 }],
    [{ outcome: 'success' }, { kind: 'outcome', scoreMicro: 1_000_000 }],
    [{ outcome: 'failure' }, { kind: 'outcome', scoreMicro: 0 }],
  ])('%j becomes an event', async (judgement, data) => {
    const { send, eventsAt } = await start();
    const response = await send({ request_id: 'r-1', id: 'f-1', ...judgement }, { 'x-switchyard-tenant': 'acme' });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ id: 'f-1', sequence: 1, duplicate: false });
    expect(await eventsAt(1)).toMatchObject([
      { type: 'feedback.received', tenant: 'acme', correlationid: 'r-1', data: { feedbackId: 'f-1', ...data } },
    ]);
  });

  it('counts the same id once, and judgements without an id one by one', async () => {
    const { send, bus } = await start();
    const judgement = { request_id: 'r-1', thumb: 'up' };
    await send({ ...judgement, id: 'f-1' });
    expect(await (await send({ ...judgement, id: 'f-1' })).json()).toEqual({ id: 'f-1', sequence: 1, duplicate: true });
    expect(await (await send(judgement, { 'idempotency-key': 'f-1' })).json()).toEqual({ id: 'f-1', sequence: 1, duplicate: true });
    await send(judgement);
    await send(judgement);
    expect((await bus.log.bounds()).last).toBe(3);
  });

  it.each([
    [{ thumb: 'up' }, 'invalid_request_id', 'request_id'],
    [{ request_id: 'a b', thumb: 'up' }, 'invalid_request_id', 'request_id'],
    [{ request_id: 'r' }, 'invalid_request', null],
    [{ request_id: 'r', thumb: 'up', score: 1 }, 'invalid_request', null],
    [{ request_id: 'r', thumb: 'sideways' }, 'invalid_request', 'thumb'],
    [{ request_id: 'r', score: 1.01 }, 'invalid_request', 'score'],
    ['[', 'invalid_json', null],
    ['x'.repeat(20_000), 'body_too_large', null],
  ])('refuses %j as %s', async (body, code, param) => {
    const { send, bus } = await start();
    const response = await send(body);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await errorOf(response)).toMatchObject({ code, param });
    expect((await bus.log.bounds()).last).toBe(0);
  });

  it('says unavailable when the log is', async () => {
    const { log } = createMemoryBus({ config: gatewayConfig() });
    const append = () => Promise.reject(new TransientError('bus-timeout', 'no acknowledgement', 200));
    const { address } = await startHttp({ log: { ...log, append } });
    const response = await post(address, { request_id: 'r', thumb: 'up' }, {}, '/v1/feedback');
    expect(response.status).toBe(503);
    expect(response.headers.get('x-should-retry')).toBe('true');
    expect(await errorOf(response)).toMatchObject({ code: 'unavailable' });
  });
});

describe('closing', () => {
  const slowly = (ms: number) =>
    scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms }, text('ty'), finished()]);

  it('lets what is under way end, and takes nothing more', async () => {
    const gateway = await startHttp({ answering: slowly(150), drainMs: 5_000 });
    const response = await post(gateway.address, chatBody({ stream: true }));
    const closed = gateway.close();
    await expect(fetch(`${gateway.address}/healthz`)).rejects.toThrow();
    expect(await response.text()).toContain('[DONE]');
    await closed;
    expect(gateway.answering.aborted).toEqual([]);
  });

  it('cuts off what does not end within the bound', async () => {
    const gateway = await startHttp({ answering: slowly(60_000), drainMs: 100 });
    const response = await post(gateway.address, chatBody({ stream: true }), { 'x-request-id': 'late' });
    const read = response.text();
    await Promise.all([gateway.close(), expect(read).rejects.toThrow()]);
    await waitUntil('the answer to be aborted', () => gateway.answering.aborted.includes('late'), { everyMs: 5 });
  });
});
