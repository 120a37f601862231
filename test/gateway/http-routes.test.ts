import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import { TransientError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
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

  it('refuses another judgement under an id that was used, and says what the id stands for', async () => {
    const { send, bus } = await start();
    await send({ request_id: 'r-1', id: 'f-1', score: 0.25 });
    for (const other of [{ score: 0.5 }, { thumb: 'down' }, { outcome: 'success' }]) {
      const response = await send({ request_id: 'r-1', id: 'f-1', ...other });
      expect(response.status).toBe(409);
      expect(response.headers.get('x-should-retry')).toBe('false');
      const error = await errorOf(response);
      expect(error).toMatchObject({ code: 'feedback_id_reused', param: 'id' });
      expect(error.message).toContain('score 0.25');
    }
    expect((await send({ request_id: 'r-1', id: 'f-1', score: 0.25 })).status).toBe(202);
    expect((await bus.log.bounds()).last).toBe(1);
  });

  it('tells apart ids that would be the same text one after the other', async () => {
    const { send, bus } = await start();
    const odd = 'A.b_c:d@e/f+g=h-i';
    for (const ids of [
      { request_id: 'a:b', id: 'c' },
      { request_id: 'a', id: 'b:c' },
      { request_id: odd, id: odd },
    ])
      expect(await (await send({ ...ids, thumb: 'up' })).json()).toMatchObject({ duplicate: false });
    expect((await bus.log.bounds()).last).toBe(3);
  });

  it('takes a negative zero for zero', async () => {
    const { send, eventsAt } = await start();
    await send('{"request_id":"r","score":-0}');
    expect((await eventsAt(1))[0]).toMatchObject({ data: { kind: 'score', scoreMicro: 0 } });
  });

  it.each([
    ['{"request_id":"r","score":1e999}', 'score', 'expected a number from 0 to 1, got Infinity'],
    ['{"request_id":"r","score":-1e999}', 'score', 'got -Infinity'],
    [{ request_id: 'r', score: '0.5' }, 'score', 'expected a number from 0 to 1, got "0.5"'],
    [{ request_id: 'r', score: null }, 'score', 'got null'],
    [{ request_id: 'r', score: 1.01 }, 'score', 'expected at most 1, got 1.01'],
    [{ request_id: 'r', score: -0.01 }, 'score', 'expected at least 0, got -0.01'],
    [{ request_id: 'r', thumb: true }, 'thumb', 'expected "up" or "down", got true'],
    [{ request_id: 'r', outcome: 'ok' }, 'outcome', 'expected "success" or "failure", got "ok"'],
    [{ request_id: 'r' }, null, 'expected exactly one of thumb, score and outcome, got {"request_id":"r"}'],
    [{ request_id: 'x'.repeat(200), thumb: 'up' }, 'request_id', '...'],
    [
      { thumb: 'up' },
      'request_id',
      'request_id: expected 1 to 128 characters of A-Z, a-z, 0-9 and . _ : @ / + = -, beginning with a letter or digit, got nothing.',
    ],
    ['[]', null, 'The body: expected an object with request_id and one of thumb, score and outcome, got [].'],
  ])('says what it expected instead of %j', async (body, param, said) => {
    const { send, bus } = await start();
    const error = await errorOf(await send(body));
    expect(error).toMatchObject({ param });
    expect(error.message).toContain(said);
    expect((await bus.log.bounds()).last).toBe(0);
  });

  it('takes no word that JSON does not have', async () => {
    const { send } = await start();
    for (const score of ['NaN', 'Infinity', '.5', '0x1'])
      expect(await errorOf(await send(`{"request_id":"r","score":${score}}`))).toMatchObject({ code: 'invalid_json' });
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
    await eventually(() => gateway.answering.aborted.includes('late'), { what: 'the answer to be aborted', everyMs: 5 });
  });
});
