import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReadChatBody } from '../../src/gateway/chat-schema.ts';
import { readJson } from '../../src/gateway/json-border.ts';

const read = createReadChatBody({ jsonDepth: 8, messages: 3, promptCharacters: 100 }, new Set(['small']));
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const user = { role: 'user', content: 'hi' };

const errorOf = (value: unknown) => {
  const result = read(bytes(value));
  return result.kind === 'refused' ? result.error : undefined;
};

describe('the body of a chat request', () => {
  it('takes its own fields out and hands the others on unchanged', () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const body = {
      model: 'small',
      stream: true,
      stream_options: { include_usage: true },
      n: 1,
      request_id: 'r-1',
      temperature: 0.3,
      tools,
      unheard_of: { a: [1, null] },
      messages: [{ role: 'user', content: 'hi', name: 'kept' }],
    };
    expect(read(bytes(body))).toEqual({
      kind: 'read',
      value: {
        model: 'small',
        messages: body.messages,
        parameters: { temperature: 0.3, tools, unheard_of: { a: [1, null] } },
        streamed: true,
        includeUsage: true,
        requestId: 'r-1',
      },
    });
  });

  it('defaults to "auto", not streamed; null counts as absent where OpenAI lets it', () => {
    const result = read(bytes({ messages: [user], model: null, stream: null, n: null, stream_options: null }));
    expect(result).toMatchObject({ kind: 'read', value: { model: 'auto', streamed: false, includeUsage: false, requestId: undefined } });
  });

  it.each([
    [
      'parts',
      {
        role: 'user',
        content: [
          { type: 'text', text: 'hi' },
          { type: 'image_url', image_url: { url: 'data:,' } },
        ],
      },
    ],
    [
      'null beside tool calls',
      { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }] },
    ],
    ['no content beside tool calls', { role: 'assistant', tool_calls: [{ id: 'c' }] }],
    ['a tool message', { role: 'tool', tool_call_id: 'c', content: 'done' }],
    ['an empty text', { role: 'user', content: '' }],
  ])('accepts %s', (_, message) => {
    expect(read(bytes({ messages: [message] }))).toMatchObject({ kind: 'read', value: { messages: [message] } });
  });

  it.each([
    ['a list', [], 'invalid_request', undefined],
    ['a number', 7, 'invalid_request', undefined],
    ['no messages', {}, 'invalid_request', 'messages'],
    ['an empty list of messages', { messages: [] }, 'invalid_request', 'messages'],
    ['too many messages', { messages: [user, user, user, user] }, 'invalid_request', 'messages'],
    ['an unknown role', { messages: [{ role: 'king', content: 'hi' }] }, 'invalid_request', 'messages[0].role'],
    ['a number as content', { messages: [user, { role: 'user', content: 1 }] }, 'invalid_request', 'messages[1].content'],
    ['null as content of a user', { messages: [{ role: 'user', content: null }] }, 'invalid_request', 'messages[0].content'],
    ['no content', { messages: [{ role: 'user' }] }, 'invalid_request', 'messages[0].content'],
    ['an empty list of parts', { messages: [{ role: 'user', content: [] }] }, 'invalid_request', 'messages[0].content'],
    [
      'null beside no tool calls',
      { messages: [{ role: 'assistant', content: null, tool_calls: [] }] },
      'invalid_request',
      'messages[0].content',
    ],
    [
      'a text part without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'invalid_request',
      'messages[0].content[0].text',
    ],
    ['a text as stream', { messages: [user], stream: 'yes' }, 'invalid_request', 'stream'],
    ['two answers', { messages: [user], n: 2 }, 'invalid_request', 'n'],
    ['a number as model', { messages: [user], model: 3 }, 'invalid_request', 'model'],
    ['an unknown model', { messages: [user], model: 'gpt-9' }, 'model_not_found', 'model'],
    ['an empty model', { messages: [user], model: '' }, 'model_not_found', 'model'],
    ['a long prompt', { messages: [{ role: 'user', content: 'x'.repeat(101) }] }, 'prompt_too_long', 'messages'],
    [
      'a long prompt in parts',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'x'.repeat(60) },
              { type: 'text', text: 'x'.repeat(60) },
            ],
          },
        ],
      },
      'prompt_too_long',
      'messages',
    ],
    ['not JSON', '{"messages":', 'invalid_json', undefined],
    ['nothing', '', 'invalid_json', undefined],
    ['deep nesting', '['.repeat(100_000), 'nested_too_deep', undefined],
  ])('refuses %s', (_, body, code, param) => {
    const error = errorOf(body);
    expect(error).toMatchObject({ code });
    expect(error?.param).toBe(param);
    expect(error?.message).toMatch(/expected/i);
  });

  it.each<readonly [name: string, value: string, expected: string]>([
    ...(['max_tokens', 'max_completion_tokens'] as const).flatMap((name) =>
      ['-1', '0', '1.5', '1e400', '-1e300', '"ten"', 'true', '[1]', '{}'].map(
        (value) => [name, value, 'a whole number of at least 1'] as const,
      ),
    ),
    ...['-0.1', '2.1', '1e400', '"hot"', 'true', '[1]'].map((value) => ['temperature', value, 'a number from 0 to 2'] as const),
    ...['-0.1', '1.1', '"all"'].map((value) => ['top_p', value, 'a number from 0 to 1'] as const),
    ...(['presence_penalty', 'frequency_penalty'] as const).flatMap((name) =>
      ['-2.1', '2.1', '"much"'].map((value) => [name, value, 'a number from -2 to 2'] as const),
    ),
    ...['1.5', '1e400', '"one"'].map((value) => ['seed', value, 'a whole number'] as const),
    ...['7', '["a","b","c","d","e"]', '["a",1]', '{}'].map((value) => ['stop', value, 'text, or a list of at most 4 texts'] as const),
    ...['-1', '21', '1.5', 'true'].map((value) => ['top_logprobs', value, 'a whole number from 0 to 20'] as const),
    ...(['logprobs', 'parallel_tool_calls', 'store'] as const).map((name) => [name, '"yes"', 'true or false'] as const),
    ['n', '0', '1 or nothing'],
    ['n', '"1"', '1 or nothing'],
    ['stream', '1', 'true or false'],
    ['logit_bias', '[]', 'an object of token numbers'],
  ])('refuses %s: %s', (name, value, expected) => {
    const error = errorOf(`{"messages":[{"role":"user","content":"hi"}],"${name}":${value}}`);
    expect(error).toMatchObject({ code: 'invalid_request', param: name });
    expect(error?.message).toContain(`${name}: expected ${expected}`);
    expect(error?.message).not.toContain('got null');
  });

  it('names the token of a bias that is out of range', () => {
    expect(errorOf({ messages: [user], logit_bias: { 50256: 101 } })).toMatchObject({
      param: 'logit_bias.50256',
      message: expect.stringContaining('from -100 to 100, got 101') as string,
    });
  });

  it.each([
    { max_tokens: 1, max_completion_tokens: Number.MAX_SAFE_INTEGER },
    { max_tokens: 1e300 },
    { temperature: 0, top_p: 0, presence_penalty: -2, frequency_penalty: 2, seed: -1, top_logprobs: 0 },
    { temperature: 2, top_p: 1, stop: 'END', logprobs: true, store: false, seed: 2 ** 63 },
    { stop: ['a', 'b', 'c', 'd'], logit_bias: { 50256: -100 } },
    { max_tokens: null, max_completion_tokens: null, temperature: null, top_p: null, presence_penalty: null, frequency_penalty: null },
    { seed: null, stop: null, logit_bias: null, logprobs: null, top_logprobs: null, store: null },
    { top_k: 'whatever', reasoning_effort: 'low', min_p: -7 },
  ])('hands on %j as it came', (parameters) => {
    expect(read(bytes({ messages: [user], ...parameters }))).toMatchObject({ kind: 'read', value: { parameters } });
  });

  it('refuses bytes that are not UTF-8', () => {
    const body = bytes({ messages: [{ role: 'user', content: 'é' }] });
    const broken = body.filter((byte) => byte !== 0xa9);
    expect(read(broken)).toMatchObject({ kind: 'refused', error: { code: 'invalid_utf8' } });
  });

  it('is not moved by __proto__', () => {
    const result = read(
      bytes('{"messages":[{"role":"user","content":"hi"}],"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
    );
    expect(result.kind).toBe('read');
    if (result.kind !== 'read') return;
    expect(Object.getPrototypeOf(result.value.parameters)).toBe(Object.prototype);
    expect(Object.assign({}, result.value.parameters)).not.toHaveProperty('polluted');
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('the depth of JSON', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner))) : 0;

  it('is judged as the parsed value has it, whatever the strings hold', () => {
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'large' },
        fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', 'a', '\u00e9'), maxLength: 80 }),
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string({ unit: fc.constantFrom('"', '\\', '{', 'k'), maxLength: 4 }), tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 8 }), (value, depthMax) => {
        const result = readJson(bytes(JSON.stringify(value)), depthMax);
        if (depthOf(value) > depthMax) expect(result).toMatchObject({ kind: 'refused', error: { code: 'nested_too_deep' } });
        else expect(result).toEqual({ kind: 'read', value });
      }),
      { seed: 26, numRuns: 2_000 },
    );
  });
});

describe('keys with escapes', () => {
  it('are read right whatever was read before (https://github.com/nodejs/node/issues/63785)', () => {
    // The first text makes V8's own parser take the second key of the next for a backslash.
    expect(readJson(bytes('{"h":[],"\\\\":0}'), 8)).toEqual({ kind: 'read', value: { h: [], '\\': 0 } });
    expect(readJson(bytes('{"h":1,"\\"":2}'), 8)).toEqual({ kind: 'read', value: { h: 1, '"': 2 } });
  });

  it('do not change what else stands in the text', () => {
    const text = ' { "\\u0061" : [ 1.5e3 , -0 , true , null , [ ] , { } , "\\"]" ] , "__proto__" : { "\\n" : false } } ';
    const read = readJson(bytes(text), 8);
    expect(read).toEqual({ kind: 'read', value: JSON.parse(text) as unknown });
    expect(read.kind === 'read' && Object.getPrototypeOf(read.value)).toBe(Object.prototype);
  });
});
