import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { errorCatalogue, type ErrorCode } from '../../src/gateway/error-catalogue.ts';
import type { AnswerErrorCode } from '../../src/requests/answer.ts';
import { failureCodeSchema } from '../../src/events/index.ts';
import { gatewayConfig } from './support/gateway-config.ts';
import { chatBody, errorOf, post, startHttp } from './support/http.ts';
import { failed, scriptedAnswering } from './support/scripted-answering.ts';

/** Sends bytes as they are, and reads until the server closes. */
const raw = (address: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    let seen = '';
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.setEncoding('utf8').on('data', (text: string) => (seen += text));
    socket.on('close', () => {
      resolve(seen);
    });
    socket.on('error', reject);
  });

describe('input that is refused', () => {
  const user = { role: 'user', content: 'hi' };
  it.each<[string, unknown, Record<string, string>, ErrorCode]>([
    ['malformed JSON', '{"messages":[', {}, 'invalid_json'],
    ['no body', '', {}, 'invalid_json'],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), {}, 'invalid_utf8'],
    ['deep nesting', `{"messages":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, {}, 'nested_too_deep'],
    ['a body over the limit', 'x'.repeat(70_000), {}, 'body_too_large'],
    ['a prompt over the limit', chatBody({ messages: [{ role: 'user', content: 'x'.repeat(20_001) }] }), {}, 'prompt_too_long'],
    ['wrong types', chatBody({ messages: 'hi' }), {}, 'invalid_request'],
    ['a message that is none', chatBody({ messages: [7] }), {}, 'invalid_request'],
    ['no room for an answer', chatBody({ max_tokens: 0 }), {}, 'invalid_request'],
    ['a temperature in words', chatBody({ temperature: 'hot' }), {}, 'invalid_request'],
    ['an unknown model', chatBody({ model: 'nobody' }), {}, 'model_not_found'],
    ['an unknown tenant', chatBody(), { 'x-switchyard-tenant': 'nobody' }, 'unknown_tenant'],
    ['the tenant of the yard itself', chatBody(), { 'x-switchyard-tenant': '_system' }, 'unknown_tenant'],
    ['a bad request id', chatBody(), { 'x-request-id': 'a b' }, 'invalid_request_id'],
    ['a bad request id in the body', chatBody({ request_id: '' }), {}, 'invalid_request_id'],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 'unsupported_media_type'],
    ['a compressed body', chatBody({ messages: [user] }), { 'content-encoding': 'gzip' }, 'unsupported_media_type'],
  ])('%s', async (_, body, headers, code) => {
    const { address, answering } = await startHttp();
    const response = await post(address, body, headers);
    const error = await errorOf(response);
    expect(error).toMatchObject({ code, type: errorCatalogue[code].type });
    expect(error.message).toMatch(/expected/i);
    expect(error.message).not.toContain('Invalid input');
    expect(response.status).toBe(errorCatalogue[code].status);
    expect(response.headers.get('x-should-retry')).toBe('false');
    expect(answering.asked).toEqual([]);
    // The server is none the worse for it.
    expect((await post(address, chatBody())).status).toBe(200);
  });

  it('an address that is not there, and a method that is not', async () => {
    const { address } = await startHttp();
    const lost = await fetch(`${address}/v2/chat`);
    expect(lost.status).toBe(404);
    expect(await errorOf(lost)).toMatchObject({ code: 'not_found' });
    const wrong = await fetch(`${address}/v1/chat/completions`);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
    expect(await errorOf(wrong)).toMatchObject({ code: 'method_not_allowed' });
  });

  it.each<[string, string, ErrorCode]>([
    ['no HTTP at all', 'HELLO WORLD\r\n\r\n', 'malformed_http'],
    ['header fields without end', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'y'.repeat(40_000)}\r\n\r\n`, 'headers_too_large'],
    ['a broken address', 'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 'malformed_http'],
  ])('%s', async (_, bytes, code) => {
    const { address } = await startHttp();
    const answer = await raw(address, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${errorCatalogue[code].status} `));
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ error: { code } });
  });

  it('a request that does not arrive in time', async () => {
    const { address } = await startHttp({ config: gatewayConfig({ requests: { deadlineMs: 200 } }), connectionsCheckMs: 50 });
    const { hostname, port } = new URL(address);
    const answer = await new Promise<string>((resolve, reject) => {
      let seen = '';
      const socket = connect(Number(port), hostname, () =>
        socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{'),
      );
      socket.setEncoding('utf8').on('data', (text: string) => (seen += text));
      socket.on('close', () => {
        resolve(seen);
      });
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"request_timeout"');
  });
});

describe('an answer that fails', () => {
  const codes: readonly AnswerErrorCode[] = [
    ...failureCodeSchema.options,
    'unavailable',
    'overloaded',
    'model_not_found',
    'body_too_large',
    'already_answered',
    'request_id_reused',
  ];
  it.each(codes)('%s has its status, type and word on retries', async (code) => {
    const { address } = await startHttp({ answering: scriptedAnswering(() => [failed(code, 250)]) });
    for (const stream of [false, true]) {
      const response = await post(address, chatBody({ stream }));
      expect(response.status).toBe(errorCatalogue[code].status);
      expect(await errorOf(response)).toEqual({ code, type: errorCatalogue[code].type, message: `It failed as ${code}.`, param: null });
      expect(response.headers.get('x-should-retry')).toBe(String(errorCatalogue[code].retry !== 'no'));
      expect(response.headers.get('retry-after')).toBe('1');
    }
  });

  it('is internal when the one who answers breaks its contract', async () => {
    const { address } = await startHttp({ answering: scriptedAnswering(() => [{ kind: 'throw' }]) });
    for (const stream of [false, true]) {
      const response = await post(address, chatBody({ stream }), { 'x-request-id': 'r-9' });
      expect(response.status).toBe(500);
      expect(response.headers.get('x-request-id')).toBe('r-9');
      const error = await errorOf(response);
      expect(error.code).toBe('internal');
      expect(error.message).not.toContain('script');
    }
  });
});
