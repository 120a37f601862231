import { jetstream } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../src/gateway/error-catalogue.ts';
import { TransientError } from '../../src/errors.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';
import { eventually } from '../support/eventually.ts';
import { chatBody } from './support/http.ts';
import { bytesOf, headersOf, natsConfig, openCaller, openTestBus, startGatewayOn, startWorkerOn, toHeaders } from './support/nats-yard.ts';
import { failed, finished, scriptedAnswering, started, text, threeWords } from './support/scripted-answering.ts';

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats();
});
afterAll(() => nats.stop());

const startAll = async (answering = scriptedAnswering(threeWords), config = natsConfig()) => {
  const bus = await openTestBus(nats, config);
  const gateway = await startGatewayOn(bus, config);
  const worker = await startWorkerOn(bus, config, answering);
  return { bus, config, gateway, worker, answering, caller: await openCaller(nats) };
};

describe('a request over NATS', () => {
  it('is answered whole by one message: nc.request() is enough', async () => {
    const { caller } = await startAll();
    const reply = await caller.nc.request('switchyard.request.acme', bytesOf(chatBody()), {
      headers: toHeaders({ 'Switchyard-Request-Id': 'whole-1' }),
      timeout: 10_000,
    });
    expect(headersOf(reply)).toMatchObject({
      'Switchyard-Request-Id': 'whole-1',
      'Switchyard-Arm': 'small-plain',
      'Switchyard-Model': 'small',
      'Switchyard-Cache': 'miss',
      'Switchyard-Simulated': 'true',
    });
    expect(reply.json()).toMatchObject({
      type: 'final',
      seq: 1,
      request_id: 'whole-1',
      chunks: 0,
      arm: 'small-plain',
      cost_nano_usd: 12_345,
      response: { object: 'chat.completion', choices: [{ message: { content: 'Twenty-four legs.' } }] },
    });
  });

  it('is answered in numbered chunks when it is streamed', async () => {
    const { caller, answering } = await startAll();
    caller.publish('switchyard.request.default', chatBody({ stream: true, request_id: 'stream-1' }), { reply: caller.inbox });
    const received = (await caller.ended()).map(({ message }) => message);
    const accepted = await eventually(() => caller.received.find(({ message }) => message.type === 'accepted'));
    expect(accepted.message).toEqual({ type: 'accepted', seq: 0, request_id: 'stream-1' });
    const shared = { attempt: expect.any(String) as string, request_id: 'stream-1' };
    expect(received).toEqual([
      { type: 'chunk', seq: 1, ...shared, text: 'Twenty' },
      { type: 'chunk', seq: 2, ...shared, text: '-four' },
      { type: 'chunk', seq: 3, ...shared, text: ' legs.' },
      expect.objectContaining({
        type: 'final',
        seq: 4,
        ...shared,
        chunks: 3,
        finish_reason: 'stop',
        usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      }),
    ]);
    expect(answering.asked).toMatchObject([{ tenant: 'default', requestId: 'stream-1', streamed: true, retryable: true }]);
  });

  it('hands on what its headers say', async () => {
    const { caller, answering } = await startAll();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const before = Date.now();
    caller.publish('switchyard.request.acme', chatBody({ temperature: 0.5 }), {
      reply: caller.inbox,
      headers: { 'switchyard-request-id': 'r-7', 'switchyard-conversation': 'chat:42', 'cache-control': 'no-store', traceparent },
    });
    await caller.ended();
    expect(answering.asked).toMatchObject([
      {
        requestId: 'r-7',
        conversation: 'chat:42',
        caching: 'no-store',
        traceparent,
        tenant: 'acme',
        parameters: { temperature: 0.5 },
      },
    ]);
    expect(answering.asked[0]?.receivedAtMs).toBeGreaterThanOrEqual(before);
  });

  it('splits long texts so that each message fits, without splitting a character', async () => {
    const long = `${'x'.repeat(65_535)}😀${'y'.repeat(70_000)}`;
    const { caller } = await startAll(scriptedAnswering((request) => [started(request), text(long), finished()]));
    caller.publish('switchyard.request.default', chatBody({ stream: true }), { reply: caller.inbox });
    const chunks = (await caller.ended()).map(({ message }) => message).filter((message) => message.type === 'chunk');
    expect(chunks.length).toBeGreaterThan(2);
    expect(chunks.map(({ text }) => text).join('')).toBe(long);
    expect(chunks.every(({ text }) => text.isWellFormed())).toBe(true);
  });

  it('says so when a whole answer does not fit into one message', async () => {
    const { caller } = await startAll(
      scriptedAnswering((request) => [started(request), ...Array.from({ length: 90 }, () => text('x'.repeat(100_000))), finished()]),
    );
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect((await caller.ended()).map(({ message }) => message)).toMatchObject([{ type: 'error', seq: 1, code: 'reply_too_large' }]);
  });

  it('ends with an error in the middle, numbered like the rest', async () => {
    const { caller } = await startAll(scriptedAnswering((request) => [started(request), text('Twen'), failed('answer_truncated')]));
    caller.publish('switchyard.request.default', chatBody({ stream: true }), { reply: caller.inbox });
    const received = await caller.ended();
    expect(received.at(-1)).toMatchObject({
      message: { type: 'error', seq: 2, code: 'answer_truncated', message: 'It failed as answer_truncated.' },
      headers: { 'Switchyard-Error': 'answer_truncated', 'Switchyard-Arm': 'small-plain' },
    });
  });
});

describe('a request that names its reply subject in a header', () => {
  it('is acknowledged as js.publish() wants it, and answered there', async () => {
    const { caller } = await startAll();
    const js = jetstream(caller.nc);
    const acknowledged = await js.publish('switchyard.request.default', bytesOf(chatBody()), {
      headers: toHeaders({ 'Switchyard-Reply': caller.inbox, 'Switchyard-Request-Id': 'js-1' }),
    });
    expect(acknowledged).toMatchObject({ stream: 'SWITCHYARD_REQUESTS', duplicate: false });
    expect(acknowledged.seq).toBeGreaterThan(0);
    expect((await caller.ended()).map(({ message }) => message)).toMatchObject([{ type: 'final', request_id: 'js-1' }]);
  });

  it('is stored once when Nats-Msg-Id and reply subject are the same', async () => {
    const { caller, answering } = await startAll();
    const js = jetstream(caller.nc);
    const publish = () =>
      js.publish('switchyard.request.default', bytesOf(chatBody()), {
        msgID: 'once-1',
        headers: toHeaders({ 'Switchyard-Reply': caller.inbox }),
      });
    const first = await publish();
    const second = await publish();
    expect(second).toMatchObject({ duplicate: true, seq: first.seq });
    await caller.ended();
    expect(answering.asked.map(({ requestId }) => requestId)).toEqual(['once-1']);
  });

  it('makes js.publish() reject when it is refused, and tells the reader of the answer too', async () => {
    const { caller } = await startAll();
    const js = jetstream(caller.nc);
    const publish = js.publish('switchyard.request.default', bytesOf('{'), { headers: toHeaders({ 'Switchyard-Reply': caller.inbox }) });
    await expect(publish).rejects.toThrow(/invalid_json/);
    expect((await caller.ended()).map(({ message }) => message)).toMatchObject([{ type: 'error', code: 'invalid_json' }]);
  });
});

describe('a retry over NATS', () => {
  it('with the same request id and a new inbox reaches the one who answers, who knows the id', async () => {
    const { caller, answering } = await startAll();
    const ask = () =>
      caller.nc.request('switchyard.request.default', bytesOf(chatBody()), {
        headers: toHeaders({ 'Switchyard-Request-Id': 'again-1' }),
        timeout: 10_000,
      });
    await ask();
    await ask();
    expect(answering.asked.map(({ requestId, retryable }) => [requestId, retryable])).toEqual([
      ['again-1', true],
      ['again-1', true],
    ]);
  });
});

describe('bad input over NATS', () => {
  it.each([
    ['malformed JSON', '{', {}, 'invalid_json'],
    ['bytes that are not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), {}, 'invalid_utf8'],
    ['deep nesting', '['.repeat(20_000), {}, 'nested_too_deep'],
    ['an oversize body', 'x'.repeat(70_000), {}, 'body_too_large'],
    ['a long prompt', chatBody({ messages: [{ role: 'user', content: 'x'.repeat(20_001) }] }), {}, 'prompt_too_long'],
    ['an unknown model', chatBody({ model: 'nobody' }), {}, 'model_not_found'],
    ['wrong types', chatBody({ messages: [7] }), {}, 'invalid_request'],
    ['no room for an answer', chatBody({ max_tokens: 0 }), {}, 'invalid_request'],
    ['a bad request id', chatBody(), { 'Switchyard-Request-Id': 'a b' }, 'invalid_request_id'],
    ['a reply subject of the yard itself', chatBody(), { 'Switchyard-Reply': 'switchyard.event.default.cache.hit' }, 'no_reply_subject'],
    ['a reply subject of the server', chatBody(), { 'Switchyard-Reply': '$JS.API.STREAM.DELETE.SWITCHYARD_EVENTS' }, 'no_reply_subject'],
    ['a reply subject with wildcards', chatBody(), { 'Switchyard-Reply': 'everybody.>' }, 'no_reply_subject'],
  ] as const)('%s gets its code', async (_, body, headers, code) => {
    const { caller, answering } = await startAll();
    caller.publish('switchyard.request.default', body, { reply: caller.inbox, headers });
    const [answer] = await caller.ended();
    expect(answer).toMatchObject({ message: { type: 'error', seq: 1, code }, headers: { 'Switchyard-Error': code } });
    expect(errorCatalogue).toHaveProperty([code]);
    expect(answering.asked).toEqual([]);
  });

  it('an unknown tenant gets its code', async () => {
    const { caller } = await startAll();
    caller.publish('switchyard.request.nobody', chatBody(), { reply: caller.inbox });
    expect((await caller.ended())[0]?.message).toMatchObject({ type: 'error', code: 'unknown_tenant' });
  });

  it.each([
    ['a good request', chatBody({ user: 'without-reply' }), 'no-reply-subject'],
    ['a bad one', '{ without-reply', 'invalid-json'],
  ])('%s without a reply subject becomes a dead letter with its body', async (_, body, reason) => {
    const { caller, bus, gateway, answering } = await startAll();
    caller.publish('switchyard.request.default', body);
    const letter = await eventually(
      async () => {
        const letters = await bus.dead.list({ limit: 100 });
        return letters.find((it) => it.reason === reason);
      },
      { what: 'the dead letter' },
    );
    expect(letter.origin).toBe('switchyard.request.default');
    expect(new TextDecoder().decode(letter.body)).toContain('without-reply');
    await eventually(() => gateway.counts().buried === 1);
    expect(gateway.counts()).toMatchObject({ refused: 1, buried: 1 });
    expect(answering.asked).toEqual([]);
  });

  it('a native reply subject that would write into the log is nobody who can be told', async () => {
    const { caller, bus, gateway } = await startAll();
    const { last } = await bus.log.bounds();
    caller.publish('switchyard.request.default', chatBody(), { reply: 'switchyard.event.default.cache.hit' });
    await eventually(() => gateway.counts().buried === 1, { what: 'the refusal', everyMs: 5 });
    expect((await bus.log.bounds()).last).toBe(last);
  });

  it('a queue that cannot be reached is `unavailable`, with a pause', async () => {
    const config = natsConfig();
    const bus = await openTestBus(nats, config);
    const put = () => Promise.reject(new TransientError('bus-timeout', 'no acknowledgement', 300));
    await startGatewayOn({ ...bus, requests: { ...bus.requests, put } }, config);
    const caller = await openCaller(nats);
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect((await caller.ended())[0]?.message).toMatchObject({ type: 'error', code: 'unavailable', retry_after_ms: 300 });
  });

  it('more than the limit at once is `overloaded`', async () => {
    const config = natsConfig({ concurrency: 1 });
    const bus = await openTestBus(nats, config);
    const stuck = Promise.withResolvers<{ sequence: number; duplicate: boolean }>();
    await startGatewayOn({ ...bus, requests: { ...bus.requests, put: () => stuck.promise } }, config);
    const caller = await openCaller(nats);
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    caller.publish('switchyard.request.default', chatBody(), { reply: caller.inbox });
    expect((await caller.ended())[0]?.message).toMatchObject({ type: 'error', code: 'overloaded' });
    stuck.resolve({ sequence: 1, duplicate: false });
  });
});

describe('feedback over NATS', () => {
  it('is appended, and its sender told', async () => {
    const { caller, bus } = await startAll();
    const { last } = await bus.log.bounds();
    const send = async () =>
      (
        await caller.nc.request('switchyard.feedback.acme', bytesOf({ request_id: 'r-1', thumb: 'up' }), {
          headers: toHeaders({ 'Nats-Msg-Id': 'f-9' }),
          timeout: 5_000,
        })
      ).json();
    expect(await send()).toEqual({ type: 'feedback', id: 'f-9', sequence: last + 1, duplicate: false });
    expect(await send()).toEqual({ type: 'feedback', id: 'f-9', sequence: last + 1, duplicate: true });
  });

  it('says so when another judgement comes under an id that was used; without a reply subject it becomes a dead letter', async () => {
    const { caller, bus, gateway } = await startAll();
    caller.publish('switchyard.feedback.acme', { request_id: 'r-3', id: 'f', thumb: 'up' });
    const other = { request_id: 'r-3', id: 'f', thumb: 'down' };
    const refused = await caller.nc.request('switchyard.feedback.acme', bytesOf(other), { timeout: 5_000 });
    expect(refused.json()).toMatchObject({ type: 'error', code: 'feedback_id_reused', param: 'id' });
    caller.publish('switchyard.feedback.acme', other);
    await eventually(() => gateway.counts().buried === 1, { what: 'the dead letter', everyMs: 5 });
    expect((await bus.dead.list({ limit: 1 }))[0]).toMatchObject({ reason: 'feedback-id-reused', origin: 'switchyard.feedback.acme' });
  });

  it.each([
    ['{"request_id":"r","score":1e999}', 'invalid_request'],
    ['{"request_id":"r","score":NaN}', 'invalid_json'],
    ['{"request_id":"r w","score":1}', 'invalid_request_id'],
    ['{"score":1}', 'invalid_request_id'],
    ['[]', 'invalid_request'],
    [`{"request_id":"r","score":1,"x":"${'x'.repeat(20_000)}"}`, 'body_too_large'],
  ])('refuses what is outside of its scale or its size', async (body, code) => {
    const { caller, bus } = await startAll();
    const { last } = await bus.log.bounds();
    const refused = await caller.nc.request('switchyard.feedback.acme', new TextEncoder().encode(body), { timeout: 5_000 });
    expect(refused.json()).toMatchObject({ type: 'error', code, message: expect.not.stringContaining('Invalid') as string });
    expect((await bus.log.bounds()).last).toBe(last);
  });

  it('needs no reply subject; a bad one without becomes a dead letter', async () => {
    const { caller, bus, gateway } = await startAll();
    const { last } = await bus.log.bounds();
    caller.publish('switchyard.feedback.acme', { request_id: 'r-2', score: 0.5 });
    await eventually(async () => (await bus.log.bounds()).last === last + 1, { what: 'the feedback', everyMs: 5 });
    caller.publish('switchyard.feedback.acme', { score: 0.5 });
    await eventually(() => gateway.counts().buried === 1, { what: 'the dead letter', everyMs: 5 });
    const refused = await caller.nc.request('switchyard.feedback.nobody', bytesOf({ request_id: 'r', score: 1 }), { timeout: 10_000 });
    expect(refused.json()).toMatchObject({ type: 'error', code: 'unknown_tenant' });
  });
});
