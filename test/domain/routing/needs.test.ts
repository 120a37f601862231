import { expect, it } from 'vitest';
import { needsOf } from '../../../src/domain/routing/needs.ts';

const text = [{ role: 'user', content: 'hello' }] as const;
const image = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'what is this?' },
      { type: 'image_url', image_url: { url: 'data:' } },
    ],
  },
] as const;

it.each([
  [[], text, {}],
  [['tools'], text, { tools: [{ type: 'function' }] }],
  [['json'], text, { response_format: { type: 'json_object' } }],
  [['json'], text, { response_format: { type: 'json_schema', json_schema: {} } }],
  [['images'], image, {}],
  [['tools', 'json', 'images'], image, { tools: [{}], response_format: { type: 'json_object' } }],
  // What asks for nothing, and what is no such thing at all.
  [[], text, { tools: [], response_format: { type: 'text' } }],
  [[], text, { tools: 'json', response_format: 'json_object' }],
  [[], text, { tools: null, response_format: [{ type: 'json_object' }] }],
  [[], [{ role: 'user', content: [null, 'image_url', { type: 7 }] }], {}],
] as const)('needs %j', (expected, messages, parameters) => {
  expect(needsOf({ messages, parameters })).toEqual(expected);
});
