import { afterEach, describe, expect, test } from 'vitest';
import { openAiCompatible, type OpenAiOptions } from '../../src/providers/openai-compatible.ts';
import { describeProvider } from '../contracts/provider.ts';
import { eventually } from '../support/eventually.ts';
import { startMockProvider, type MockProvider, type MockReply, type MockScript } from '../support/mock-provider.ts';
import { allFrames, deltaFrame, doneFrame, frame, wholeBody } from '../support/openai-frames.ts';
import { callOf, collect, endOf, errorOf, secretPrompt, textOf } from '../support/provider-calls.ts';

const json = { 'content-type': 'application/json' };
const bytes = (chunks: readonly (string | Uint8Array)[], then: 'end' | 'cut' | 'stall' = 'end', more: object = {}): MockReply => ({
  kind: 'bytes',
  chunks,
  then,
  ...more,
});
const silence: MockReply = { kind: 'silence' };
/** Short where the test wants them to pass, long where a busy machine must not make them pass. */
const shortFirst = { firstTokenMs: 300, idleMs: 60_000, totalMs: 60_000 };
const shortIdle = { firstTokenMs: 60_000, idleMs: 100, totalMs: 60_000 };

const connect = (mock: MockProvider, changes: Partial<OpenAiOptions> = {}) =>
  openAiCompatible({ id: 'mock', baseUrl: mock.url, model: 'mock-1', apiKey: 'sk-secret-key', connections: 64, ...changes });

describeProvider('openai-compatible', async (behaviour) => {
  const scripts: Record<typeof behaviour, MockScript | undefined> = {
    answering: undefined,
    silent: () => silence,
    failing: () => bytes([JSON.stringify({ error: { message: secretPrompt, code: 'boom' } })], 'end', { status: 500, headers: json }),
  };
  const script = scripts[behaviour];
  const mock = await startMockProvider(script === undefined ? {} : { script });
  return { provider: connect(mock), stop: mock.close };
});

describe('openai-compatible over HTTP', () => {
  const opened: { readonly close: () => Promise<unknown> }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
  });
  /** A connection that goes away does so because it was closed, not because its draining took too long. */
  const start = async (reply: MockReply | MockScript, changes: Partial<OpenAiOptions> = {}) => {
    const mock = await startMockProvider({ script: typeof reply === 'function' ? reply : () => reply });
    const provider = connect(mock, { drainMs: 600_000, ...changes });
    opened.push(mock, provider);
    return { mock, provider };
  };
  const whole = bytes([wholeBody({ text: 'ok' })], 'end', { headers: json });
  const ask = async (reply: MockReply, changes: Parameters<typeof callOf>[0] = {}) => {
    const { mock, provider } = await start(reply);
    return { mock, parts: await collect(provider.answer(callOf(changes))) };
  };

  describe('asks', () => {
    test('with the parameters of the caller unchanged, and its own model, messages and stream', async () => {
      const { mock, provider } = await start(whole);
      const parameters = {
        temperature: 0.3,
        tools: [{ type: 'function' }],
        model: 'other',
        messages: [],
        stream: true,
        n: 3,
        stream_options: {},
      };
      await collect(provider.answer(callOf({ streamed: false, parameters, traceparent: '00-abc-def-01' })));
      const [request] = mock.requests;
      expect(JSON.parse(request!.body)).toEqual({
        temperature: 0.3,
        tools: [{ type: 'function' }],
        model: 'mock-1',
        messages: [{ role: 'user', content: secretPrompt }],
        stream: false,
      });
      expect(request).toMatchObject({
        path: '/v1/chat/completions',
        headers: { authorization: 'Bearer sk-secret-key', 'content-type': 'application/json', traceparent: '00-abc-def-01' },
      });
    });

    test('for usage when it streams, and without a key when there is none', async () => {
      const { mock, provider } = await start(bytes([allFrames({ texts: ['a'] })]), { apiKey: undefined });
      await collect(provider.answer(callOf()));
      expect(JSON.parse(mock.requests[0]!.body)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
      expect(mock.requests[0]!.headers).not.toHaveProperty('authorization');
    });

    test('at a base url with a slash at its end and a query', async () => {
      const { mock } = await start(whole);
      const provider = connect(mock, { baseUrl: `${mock.url}/?api-version=2` });
      opened.push(provider);
      await collect(provider.answer(callOf({ streamed: false })));
      expect(mock.requests[0]!.path).toBe('/v1/chat/completions?api-version=2');
    });

    test('not with a key that no header can hold', () => {
      expect(() => openAiCompatible({ id: 'm', baseUrl: 'http://127.0.0.1:1/v1', model: 'm', apiKey: 'a\nb', connections: 1 })).toThrow(
        /model m: expected an API key of visible ASCII/,
      );
    });
  });

  describe('reads', () => {
    test('usage and finish reason of a stream', async () => {
      const { parts } = await ask(
        bytes([allFrames({ texts: ['a', 'b'], finishReason: 'length', usage: { prompt_tokens: 3, completion_tokens: 2 } })]),
      );
      expect(parts).toEqual([
        { kind: 'text', text: 'a' },
        { kind: 'text', text: 'b' },
        { kind: 'end', finishReason: 'length', usage: { promptTokens: 3, completionTokens: 2 } },
      ]);
    });

    test.each([
      ['none', null],
      ['nonsense', { prompt_tokens: -1, completion_tokens: 2 }],
      ['too much', { prompt_tokens: 1, completion_tokens: 1e15 }],
    ])('null where usage is %s', async (_what, usage) => {
      expect(endOf((await ask(bytes([allFrames({ texts: ['a'], usage })]))).parts).usage).toBeNull();
      const body = bytes([wholeBody({ text: 'a', usage })], 'end', { headers: json });
      expect(endOf((await ask(body, { streamed: false })).parts).usage).toBeNull();
    });

    test('tool calls as they come, streamed and whole, beside content null', async () => {
      const first = { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '' } };
      const second = { index: 0, function: { arguments: '{"x":1}' } };
      const stream = [
        deltaFrame({ content: null, tool_calls: [first] }),
        deltaFrame({ tool_calls: [second] }),
        deltaFrame({}, 'tool_calls'),
        doneFrame,
      ];
      expect((await ask(bytes(stream))).parts).toEqual([
        { kind: 'tool-calls', toolCalls: [first] },
        { kind: 'tool-calls', toolCalls: [second] },
        { kind: 'end', finishReason: 'tool_calls', usage: null },
      ]);
      const body = wholeBody({ text: null, toolCalls: [first], finishReason: 'tool_calls' });
      expect((await ask(bytes([body], 'end', { headers: json }), { streamed: false })).parts).toMatchObject([
        { kind: 'tool-calls', toolCalls: [first] },
        { kind: 'end', finishReason: 'tool_calls' },
      ]);
    });

    test('a whole answer from a provider that was asked for a stream', async () => {
      const { parts } = await ask(
        bytes([wholeBody({ text: 'all of it' })], 'end', { headers: { 'content-type': 'application/json; charset=utf-8' } }),
      );
      expect(textOf(parts)).toBe('all of it');
      expect(endOf(parts).finishReason).toBe('stop');
    });

    test('an end after [DONE] without a reason, and after a reason without [DONE]', async () => {
      expect(endOf((await ask(bytes([deltaFrame({ content: 'a' }), doneFrame]))).parts).finishReason).toBe('stop');
      expect(endOf((await ask(bytes([deltaFrame({ content: 'a' }, 'length')]))).parts).finishReason).toBe('length');
    });

    test('a whole answer although the connection breaks, or falls silent, between the reason and [DONE]', async () => {
      for (const then of ['cut', 'stall'] as const) {
        const { parts } = await ask(bytes([deltaFrame({ content: 'a' }) + deltaFrame({}, 'stop')], then), { deadlines: shortIdle });
        expect(endOf(parts)).toEqual({ kind: 'end', finishReason: 'stop', usage: null });
      }
    });

    test('all of a large stream, however slowly its reader takes it', async () => {
      const texts = Array.from({ length: 4_000 }, (_, n) => `${n} `.padEnd(500, 'x'));
      const frames = texts.map((content) => deltaFrame({ content }));
      const { provider } = await start(
        bytes([...Array.from({ length: 40 }, (_, n) => frames.slice(n * 100, n * 100 + 100).join('')), deltaFrame({}, 'stop'), doneFrame]),
      );
      const parts = [];
      for await (const part of provider.answer(
        callOf({ maxAnswerBytes: 10_000_000, deadlines: { firstTokenMs: 60_000, idleMs: 5_000, totalMs: 60_000 } }),
      )) {
        // The reader holds this part for longer than the provider may be silent.
        if (parts.length === 2_000) await new Promise((resolve) => setTimeout(resolve, 6_000));
        parts.push(part);
      }
      expect(textOf(parts)).toBe(texts.join(''));
      expect(endOf(parts).finishReason).toBe('stop');
    });
  });

  describe('never takes for an end', () => {
    test.each([
      ['a stream that ends early', bytes([deltaFrame({ content: 'half' })])],
      ['a stream whose connection breaks', bytes([deltaFrame({ content: 'half' })], 'cut')],
      ['a stream cut within a frame', bytes([deltaFrame({ content: 'half' }), 'data: {"choices":[{"del'])],
      ['an empty stream', bytes([])],
    ])('%s', async (_what, reply) => {
      const { parts } = await ask(reply);
      expect(errorOf(parts).code).toBe('answer_truncated');
    });

    const cutBody = wholeBody({ text: 'a long answer' }).slice(0, 90);
    test.each([
      ['a whole answer cut short of its length', bytes([cutBody], 'cut', { headers: { ...json, 'content-length': '400' } })],
      ['a whole answer cut between chunks', bytes([cutBody], 'cut', { headers: json })],
      ['a whole answer that ends with the connection, early', bytes([cutBody], 'end', { headers: { ...json, connection: 'close' } })],
    ])('%s', async (_what, reply) => {
      const { parts } = await ask(reply, { streamed: false });
      expect(parts).toMatchObject([{ kind: 'error', error: { code: 'answer_truncated' } }]);
    });
  });

  describe('tells what was wrong', () => {
    test.each([
      [400, 'provider_refused'],
      [401, 'provider_refused'],
      [403, 'provider_refused'],
      [404, 'provider_refused'],
      [422, 'provider_refused'],
      [408, 'provider_unavailable'],
      [429, 'provider_rate_limited'],
      [500, 'provider_error'],
      [502, 'provider_unavailable'],
      [503, 'provider_unavailable'],
      [529, 'provider_unavailable'],
      [204, 'provider_error'],
    ])('status %i is %s', async (status, code) => {
      const { parts } = await ask(
        bytes(status === 204 ? [] : ['<html>no</html>'], 'end', { status, headers: { 'content-type': 'text/html' } }),
      );
      expect(parts).toMatchObject([{ kind: 'error', error: { code, httpStatus: status, detail: `answered ${status}` } }]);
    });

    test.each([
      ['7', 7_000],
      ['0.5', 500],
      ['soon', undefined],
      ['999999999', 86_400_000],
    ])('retry-after %s', async (header, retryAfterMs) => {
      const { parts } = await ask(bytes([], 'end', { status: 429, headers: { 'retry-after': header } }));
      expect(errorOf(parts).retryAfterMs).toBe(retryAfterMs);
    });

    test('retry-after as a date', async () => {
      const header = new Date(Date.now() + 30_000).toUTCString();
      const { parts } = await ask(bytes([], 'end', { status: 503, headers: { 'retry-after': header } }));
      expect(errorOf(parts).retryAfterMs).toBeGreaterThan(25_000);
      expect(errorOf(parts).retryAfterMs).toBeLessThanOrEqual(30_000);
    });

    test('an error of the provider by its type and code, without a word of the prompt or of the key', async () => {
      const error = (more: object) =>
        bytes([JSON.stringify({ error: { message: `no: ${secretPrompt}, sk-secret-key`, ...more } })], 'end', {
          status: 400,
          headers: json,
        });
      expect(errorOf((await ask(error({ type: 'invalid_request_error', code: 'too_long' }))).parts).detail).toBe(
        'answered 400 (invalid_request_error, too_long)',
      );
      for (const code of [secretPrompt, 'Sesame', 'sk-secret-key', 'secret', 'x-sk-secret-key-x', 'a b', 'x'.repeat(65), { a: 1 }])
        expect(errorOf((await ask(error({ code }))).parts).detail).toBe('answered 400');
    });

    test.each([
      [{ type: 'server_error', message: secretPrompt }, 'provider_error'],
      [{ code: 429 }, 'provider_rate_limited'],
      [{ code: '502' }, 'provider_unavailable'],
      [{ type: 'overloaded_error' }, 'provider_unavailable'],
      ['just words', 'provider_error'],
    ])('an error in an answer of status 200: %j', async (error, code) => {
      const streamed = await ask(bytes([deltaFrame({ content: 'so far' }), frame({ error }), doneFrame]));
      expect(textOf(streamed.parts)).toBe('so far');
      expect(errorOf(streamed.parts).code).toBe(code);
      expect(errorOf(streamed.parts).detail).not.toContain(secretPrompt);
      const body = await ask(bytes([JSON.stringify({ error })], 'end', { headers: json }), { streamed: false });
      expect(body.parts).toMatchObject([{ kind: 'error', error: { code } }]);
    });

    test.each([
      ['a frame that is not JSON', bytes([frame('{"choices":[}')])],
      ['a frame that is no chunk', bytes([frame('[1,2]')])],
      ['a page of HTML', bytes(['<html></html>'], 'end', { headers: { 'content-type': 'text/html' } })],
      ['a body without a type', bytes(['hello'], 'end', { headers: { 'content-type': '' } })],
      ['garbage in place of HTTP', { kind: 'hang-up', garbage: 'SSH-2.0-OpenSSH\r\n' } as const],
    ])('provider_error for %s', async (_what, reply) => {
      expect((await ask(reply)).parts).toMatchObject([{ kind: 'error', error: { code: 'provider_error' } }]);
    });

    test.each([
      ['JSON that is no completion', '{"choices":5}'],
      ['no JSON', 'hello'],
      ['no choice', '{"choices":[]}'],
    ])('provider_error for a whole answer that holds %s', async (_what, body) => {
      const { parts } = await ask(bytes([body], 'end', { headers: json }), { streamed: false });
      expect(parts).toMatchObject([{ kind: 'error', error: { code: 'provider_error' } }]);
    });

    test('provider_error for a stream where none was asked for', async () => {
      expect(errorOf((await ask(bytes([allFrames({ texts: ['a'] })]), { streamed: false })).parts)).toMatchObject({
        code: 'provider_error',
        detail: 'expected a body of type application/json, got text/event-stream',
      });
    });

    test('a redirect, which it does not follow', async () => {
      const { mock, parts } = await ask(bytes([], 'end', { status: 307, headers: { location: '/v1/chat/completions' } }));
      expect(errorOf(parts)).toMatchObject({ code: 'provider_error', detail: 'answered 307: redirects are not followed' });
      expect(mock.requests).toHaveLength(1);
    });

    test('that nobody listens, that the other side hangs up, that it does not speak TLS', async () => {
      const { mock } = await start({ kind: 'hang-up' });
      const gone = await startMockProvider();
      await gone.close();
      for (const [baseUrl, code] of [
        [gone.url, 'ECONNREFUSED'],
        [mock.url, 'UND_ERR_SOCKET'],
        [mock.url.replace('http:', 'https:'), 'SSL'],
      ] as const) {
        const provider = connect(mock, { baseUrl });
        opened.push(provider);
        const error = errorOf(await collect(provider.answer(callOf())));
        expect(error.code).toBe('provider_unavailable');
        expect(error.detail).toContain(code);
      }
    });
  });

  describe('keeps its limits', () => {
    const allGone = (mock: MockProvider) => eventually(() => mock.connections.open === 0);

    test('a pause longer than the deadline is a timeout, and the connection is closed', async () => {
      const { mock, provider } = await start(bytes([deltaFrame({ content: 'a' })], 'stall'));
      const parts = await collect(provider.answer(callOf({ deadlines: shortIdle })));
      expect(textOf(parts)).toBe('a');
      expect(errorOf(parts)).toEqual({ code: 'provider_timeout', detail: 'no further part within 100 ms' });
      await allGone(mock);
    });

    test('comments keep a connection open but are no parts', async () => {
      const comments = Array.from({ length: 30 }, () => ': still here\n\n');
      const { parts } = await ask(bytes(comments, 'stall', { pauseMs: 20 }), { deadlines: shortFirst });
      expect(errorOf(parts)).toEqual({ code: 'provider_timeout', detail: 'no part of the answer within 300 ms' });
    });

    test('an abort in the middle closes the connection', async () => {
      const { mock, provider } = await start(bytes([deltaFrame({ content: 'a' })], 'stall'));
      const caller = new AbortController();
      const parts = [];
      for await (const part of provider.answer(callOf({ signal: caller.signal }))) {
        parts.push(part);
        caller.abort();
      }
      expect(parts).toMatchObject([{ kind: 'text' }, { kind: 'error', error: { code: 'cancelled' } }]);
      await allGone(mock);
    });

    test('an abort while an error is being read is an abort', async () => {
      const { provider } = await start(bytes(['{"error"'], 'stall', { status: 500, headers: json }));
      const caller = new AbortController();
      setTimeout(() => {
        caller.abort();
      }, 100);
      expect(errorOf(await collect(provider.answer(callOf({ signal: caller.signal })))).code).toBe('cancelled');
    });

    test('the status counts when the body of an error never ends', async () => {
      const { parts } = await ask(bytes(['{"error"'], 'stall', { status: 500, headers: json }), {
        deadlines: { firstTokenMs: 3_000, idleMs: 60_000, totalMs: 60_000 },
      });
      expect(errorOf(parts)).toMatchObject({ code: 'provider_error', httpStatus: 500 });
    });

    test('a reader who leaves closes the connection', async () => {
      const { mock, provider } = await start(bytes([deltaFrame({ content: 'a' })], 'stall'));
      for await (const _part of provider.answer(callOf())) break;
      await allGone(mock);
    });

    test('too large an answer closes the connection', async () => {
      const { mock, provider } = await start(bytes([deltaFrame({ content: 'x'.repeat(2_000) })], 'stall'));
      expect(errorOf(await collect(provider.answer(callOf({ maxAnswerBytes: 1_999 })))).code).toBe('answer_too_large');
      await allGone(mock);
    });

    test.each([true, false])('a body without end is too large (streamed: %s)', async (streamed) => {
      const endless = bytes(
        Array.from({ length: 20 }, (_, n) => (n === 0 && streamed ? 'data: ' : 'x'.repeat(10_000))),
        'stall',
        streamed ? {} : { headers: json },
      );
      expect(errorOf((await ask(endless, { streamed, maxAnswerBytes: 1_000 })).parts).code).toBe('answer_too_large');
    });

    test('deadlines and aborts hold while all connections are taken, and what was given up is never sent', async () => {
      const { mock, provider } = await start(({ body }) => (body.includes('wait') ? silence : bytes([allFrames({ texts: ['a'] })])), {
        connections: 1,
      });
      const say = (content: string, more: Parameters<typeof callOf>[0] = {}) =>
        collect(provider.answer(callOf({ messages: [{ role: 'user', content }], ...more })));
      const caller = new AbortController();
      const first = say('wait', { signal: caller.signal });
      expect(errorOf(await say('late', { deadlines: shortFirst })).detail).toBe('no part of the answer within 300 ms');
      const third = say('gone', { signal: caller.signal });
      const fourth = say('answered');
      caller.abort();
      expect([errorOf(await first).code, errorOf(await third).code]).toEqual(['cancelled', 'cancelled']);
      expect(endOf(await fourth).finishReason).toBe('stop');
      expect(mock.requests.map(({ body }) => /"content":"(\w+)"/.exec(body)?.[1])).toEqual(['wait', 'answered']);
    });

    test('no more connections than allowed', async () => {
      const { mock, provider } = await start(bytes([allFrames({ texts: ['a'] })], 'end', { pauseMs: 5 }), { connections: 3 });
      const all = await Promise.all(Array.from({ length: 30 }, () => collect(provider.answer(callOf()))));
      expect(all.map((parts) => endOf(parts).finishReason)).toHaveLength(30);
      expect(mock.connections.opened).toBe(3);
    });

    test.each([true, false])('connections serve one call after another (streamed: %s)', async (streamed) => {
      const { mock, provider } = await start(streamed ? bytes([allFrames({ texts: ['a', 'b'] })]) : whole);
      for (let n = 0; n < 10; n++) endOf(await collect(provider.answer(callOf({ streamed }))));
      // A reader may as well stop at the end.
      for (let n = 0; n < 10; n++) for await (const part of provider.answer(callOf({ streamed }))) if (part.kind === 'end') break;
      // The next call may begin before the end of the body has freed the connection: then a second one is opened, but not one for each.
      expect(mock.connections.opened).toBeLessThan(5);
    });

    test('an end does not wait for the body, and a connection whose body goes on is not kept for long', async () => {
      const endless = bytes([allFrames({ texts: ['a'] })], 'stall');
      endOf(await collect((await start(endless)).provider.answer(callOf())));
      const { mock, provider } = await start(endless, { drainMs: 100 });
      endOf(await collect(provider.answer(callOf())));
      await allGone(mock);
    });
  });
});
