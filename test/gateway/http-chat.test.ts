import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { gatewayConfig } from './support/gateway-config.ts';
import { chatBody, errorOf, framesOf, post, startHttp } from './support/http.ts';
import { failed, finished, scriptedAnswering, started, text } from './support/scripted-answering.ts';

describe('a whole answer over HTTP', () => {
  it('has the shape of chat.completion, and says in its headers where it came from', async () => {
    const { address } = await startHttp();
    const response = await post(address, chatBody(), { 'x-request-id': 'r-1' });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-request-id': 'r-1',
      'x-switchyard-arm': 'small-plain',
      'x-switchyard-model': 'small',
      'x-switchyard-cache': 'miss',
      'x-switchyard-simulated': 'true',
    });
    expect(response.headers.has('x-switchyard-repeated')).toBe(false);
    expect(await response.json()).toEqual({
      id: 'chatcmpl-r-1',
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: 'small',
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Twenty-four legs.', refusal: null }, logprobs: null, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      switchyard: { cost_nano_usd: 12_345, repeated: false },
    });
  });

  it('puts tool calls together, with null as content', async () => {
    const answering = scriptedAnswering((request) => [
      started(request),
      { kind: 'delta', text: '', toolCalls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a"' } }] },
      { kind: 'delta', text: '', toolCalls: [{ index: 0, function: { arguments: ':1}' } }] },
      { ...(finished() as object), finishReason: 'tool_calls' } as ReturnType<typeof finished>,
    ]);
    const { address } = await startHttp({ answering });
    const body: unknown = await (await post(address, chatBody())).json();
    expect(body).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: { content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
        },
      ],
    });
  });

  it('says that it is the recorded answer of a retry', async () => {
    const { address } = await startHttp({ answering: scriptedAnswering((request) => [started(request), text('again'), finished(true)]) });
    const response = await post(address, chatBody());
    expect(response.headers.get('x-switchyard-repeated')).toBe('true');
  });
});

describe('what reaches the one who answers', () => {
  it.each<[Record<string, string>, object]>([
    [{ 'x-request-id': 'mine' }, { requestId: 'mine', retryable: true }],
    [
      { 'idempotency-key': '"key-1"', 'x-request-id': 'of-a-proxy' },
      { requestId: 'key-1', retryable: true },
    ],
    [{}, { retryable: false, tenant: 'default', caching: 'use' }],
    [{ 'x-switchyard-tenant': 'acme' }, { tenant: 'acme' }],
    [{ 'x-switchyard-conversation': 'chat:42' }, { conversation: 'chat:42' }],
    [{ 'cache-control': 'no-store' }, { caching: 'no-store' }],
    [{ 'cache-control': 'no-cache' }, { caching: 'refresh' }],
    [
      { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
      { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
    ],
    [{ traceparent: 'nonsense' }, { traceparent: undefined }],
  ])('%j becomes %j', async (headers, expected) => {
    const { address, answering } = await startHttp();
    const response = await post(address, chatBody(), headers);
    expect(response.status).toBe(200);
    expect(answering.asked).toEqual([expect.objectContaining(expected)]);
    expect(response.headers.get('x-request-id')).toBe(answering.asked[0]?.requestId);
  });
});

describe('the name of a conversation', () => {
  it('is taken from the metadata of the body, which reach the provider unchanged; the header wins', async () => {
    const { address, answering } = await startHttp();
    const metadata = { conversation_id: 'from-the-body', team: 'a' };
    await post(address, chatBody({ metadata }));
    await post(address, chatBody({ metadata }), { 'x-switchyard-conversation': 'from-the-header' });
    await post(address, chatBody({ metadata: null }));
    expect(answering.asked.map(({ conversation, parameters }) => [conversation, parameters['metadata']])).toEqual([
      ['from-the-body', metadata],
      ['from-the-header', metadata],
      [undefined, null],
    ]);
  });

  it.each([
    ['two words', { conversation_id: 'a b' }],
    ['nothing', { conversation_id: '' }],
    ['too long', { conversation_id: 'x'.repeat(129) }],
    ['a number', { conversation_id: 7 }],
  ])('is refused: %s', async (_what, metadata) => {
    const { address, answering } = await startHttp();
    const response = await post(address, chatBody({ metadata }));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'invalid_request',
        param: 'metadata.conversation_id',
        message: expect.stringContaining('expected 1 to 128 visible ASCII characters') as string,
      },
    });
    expect(answering.asked).toEqual([]);
  });

  it('is refused in the header too', async () => {
    const { address } = await startHttp();
    const response = await post(address, chatBody(), { 'x-switchyard-conversation': 'two words' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { code: 'invalid_request', message: expect.stringContaining('got "two words"') as string },
    });
  });
});

describe('a streamed answer over HTTP', () => {
  it('is role, text, finish and the mark of the end', async () => {
    const { address } = await startHttp();
    const response = await post(address, chatBody({ stream: true }), { 'x-request-id': 'r-2' });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('x-switchyard-arm')).toBe('small-plain');
    const frames = framesOf(await response.text());
    expect(frames.pop()).toBe('[DONE]');
    const chunks = frames.map((frame) => JSON.parse(frame) as Record<string, unknown>);
    const shared = { id: 'chatcmpl-r-2', object: 'chat.completion.chunk', created: expect.any(Number) as number, model: 'small' };
    const choice = (delta: object, finish_reason: string | null = null) => ({
      ...shared,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    });
    expect(chunks).toEqual([
      choice({ role: 'assistant', content: '' }),
      choice({ content: 'Twenty' }),
      choice({ content: '-four' }),
      choice({ content: ' legs.' }),
      choice({}, 'stop'),
    ]);
  });

  it('adds the usage when it is asked for', async () => {
    const { address } = await startHttp();
    const response = await post(address, chatBody({ stream: true, stream_options: { include_usage: true } }));
    const frames = framesOf(await response.text());
    expect(frames.pop()).toBe('[DONE]');
    const chunks = frames.map((frame) => JSON.parse(frame) as Record<string, unknown>);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
      switchyard: { cost_nano_usd: 12_345, repeated: false },
    });
    expect(chunks.slice(0, -1).every((chunk) => chunk['usage'] === null)).toBe(true);
  });

  it('is an HTTP status when it fails before the first text', async () => {
    const { address } = await startHttp({
      answering: scriptedAnswering((request) => [started(request), failed('provider_rate_limited', 1_500)]),
    });
    const response = await post(address, chatBody({ stream: true }));
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('retry-after-ms')).toBe('1500');
    expect(response.headers.get('x-switchyard-arm')).toBe('small-plain');
    expect(await errorOf(response)).toEqual({
      code: 'provider_rate_limited',
      type: 'rate_limit_error',
      message: 'It failed as provider_rate_limited.',
      param: null,
    });
  });

  it('ends with an error and without [DONE] when it fails after', async () => {
    const { address } = await startHttp({
      answering: scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms: 5 }, failed('answer_truncated')]),
    });
    const frames = framesOf(await (await post(address, chatBody({ stream: true }))).text());
    expect(JSON.parse(frames.at(-1) ?? '')).toMatchObject({ error: { code: 'answer_truncated', type: 'server_error' } });
    expect(frames).not.toContain('[DONE]');
  });

  it('is cut off, not ended, when the one who answers breaks its contract', async () => {
    const { address } = await startHttp({
      answering: scriptedAnswering((request) => [started(request), text('Twen'), { kind: 'pause', ms: 20 }, { kind: 'throw' }]),
    });
    const response = await post(address, chatBody({ stream: true }));
    await expect(response.text()).rejects.toThrow();
  });

  it('lets the one who answers finish after the last part', async () => {
    const { address, answering } = await startHttp();
    for (const body of [chatBody(), chatBody({ stream: true })]) await (await post(address, body)).text();
    // Both generators were left for good: their `finally` blocks have run.
    expect(answering.left).toHaveLength(2);
  });
});

describe('a caller who goes away', () => {
  it.each([true, false])('stops the answer (streamed: %s)', async (stream) => {
    const answering = scriptedAnswering((request) => [started(request), ...(stream ? [text('Twen')] : []), { kind: 'until-aborted' }]);
    const { address } = await startHttp({ answering });
    const caller = new AbortController();
    const call = fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'gone' },
      body: JSON.stringify(chatBody({ stream })),
      signal: caller.signal,
    });
    if (stream) await (await call).body?.getReader().read();
    else await eventually(() => answering.asked.length === 1, { what: 'the request to arrive', everyMs: 5 });
    caller.abort();
    if (!stream) await expect(call).rejects.toThrow();
    await eventually(() => answering.aborted.includes('gone'), { what: 'the answer to be aborted', everyMs: 5 });
  });

  it('who reads too slowly holds the answer back, and is cut off after idleMs', async () => {
    const piece = text('x'.repeat(100_000));
    const answering = scriptedAnswering((request) => [started(request), ...Array.from({ length: 500 }, () => piece), finished()]);
    const { address } = await startHttp({ answering, config: gatewayConfig({ requests: { idleMs: 300 } }) });
    const response = await post(address, chatBody({ stream: true }), { 'x-request-id': 'slow' });
    const reader = response.body?.getReader();
    await reader?.read();
    await eventually(() => answering.aborted.includes('slow'), { what: 'the slow reader to be cut off', everyMs: 5 });
    // 50 MB were to be said; what lies in the buffers of both ends is all that was asked for.
    expect(answering.yielded).toBeLessThan(200);
    await reader?.cancel().catch(() => undefined);
  });
});
