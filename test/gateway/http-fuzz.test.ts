import fc from 'fast-check';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { errorCatalogue, type ErrorCode } from '../../src/gateway/error-catalogue.ts';
import { chatBody, errorOf, post, startHttp } from './support/http.ts';

/** Each answer is a success or a documented refusal of the caller's mistake; the server goes on as if nothing had been. */
const expectOrderly = async (response: Response): Promise<void> => {
  if (response.status === 200) {
    await response.text();
    return;
  }
  const { code, message } = await errorOf(response);
  expect(errorCatalogue).toHaveProperty([code]);
  expect(response.status).toBe(errorCatalogue[code as ErrorCode].status);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  expect(message).not.toBe('');
  expect(response.headers.get('x-request-id')).toBeTruthy();
};

/** Bodies near the valid one: that is where the mistakes of a validator are. */
const nearlyValid = fc.record(
  {
    model: fc.oneof(fc.constantFrom('auto', 'small', 'nobody', ''), fc.jsonValue()),
    messages: fc.oneof(
      fc.array(
        fc.record(
          {
            role: fc.oneof(fc.constantFrom('user', 'assistant', 'tool'), fc.jsonValue()),
            content: fc.oneof(
              fc.string(),
              fc.constant(null),
              fc.array(fc.record({ type: fc.constant('text'), text: fc.jsonValue() })),
              fc.jsonValue(),
            ),
            tool_calls: fc.oneof(fc.constant([{}]), fc.jsonValue()),
          },
          { requiredKeys: [] },
        ),
      ),
      fc.jsonValue(),
    ),
    stream: fc.oneof(fc.boolean(), fc.jsonValue()),
    stream_options: fc.oneof(fc.constant({ include_usage: true }), fc.jsonValue()),
    n: fc.oneof(fc.constant(1), fc.jsonValue()),
    request_id: fc.oneof(fc.string(), fc.jsonValue()),
    temperature: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

describe('the border of HTTP', () => {
  it.each([
    ['arbitrary bytes', fc.uint8Array({ maxLength: 300 })],
    ['arbitrary JSON', fc.json({ maxDepth: 12 })],
    ['JSON near a request', nearlyValid.map((body) => JSON.stringify(body))],
    [
      'JSON that was cut or changed',
      fc.tuple(fc.nat(90), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
        const body = new TextEncoder().encode(JSON.stringify(chatBody()));
        body[at] = byte;
        return body;
      }),
    ],
  ])('answers %s in order', async (_, bodies) => {
    const { address } = await startHttp();
    await fc.assert(
      fc.asyncProperty(bodies as fc.Arbitrary<Uint8Array | string>, async (body) => {
        await expectOrderly(await post(address, body));
        await expectOrderly(await post(address, body, {}, '/v1/feedback'));
      }),
      { seed: 27, numRuns: 300 },
    );
    expect((await post(address, chatBody())).status).toBe(200);
  });

  it('answers arbitrary header values in order', async () => {
    const { address } = await startHttp();
    const value = fc.string({
      unit: fc
        .integer({ min: 0x20, max: 0xff })
        .filter((code) => code !== 0x7f)
        .map((code) => String.fromCharCode(code)),
      maxLength: 200,
    });
    const names = ['x-request-id', 'idempotency-key', 'x-switchyard-tenant', 'cache-control', 'traceparent', 'content-type'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), value, async (name, text) => {
        await expectOrderly(await post(address, chatBody(), { [name]: text }));
      }),
      { seed: 28, numRuns: 300 },
    );
  });

  it('is not brought down by bytes that are no HTTP', async () => {
    const { address } = await startHttp();
    const { hostname, port } = new URL(address);
    const send = (bytes: Uint8Array) =>
      new Promise<string>((resolve) => {
        let seen = '';
        const socket = connect(Number(port), hostname, () => socket.end(bytes));
        socket.setEncoding('utf8').on('data', (text: string) => (seen += text));
        socket
          .on('error', () => undefined)
          .on('close', () => {
            resolve(seen);
          });
      });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const seen = await send(bytes);
        expect(seen === '' || /^HTTP\/1\.1 4\d\d /.test(seen)).toBe(true);
      }),
      { seed: 29, numRuns: 200 },
    );
    expect((await post(address, chatBody())).status).toBe(200);
  });
});
