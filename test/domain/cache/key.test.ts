import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tenantSchema } from '../../../src/events/index.ts';
import type { Json } from '../../../src/json.ts';
import { canonicalJson } from '../../../src/domain/canonical-json.ts';
import { cacheable } from '../../../src/domain/cache/cacheable.ts';
import { canonicalQuestion, type Question } from '../../../src/domain/cache/key.ts';

const question: Question = {
  tenant: tenantSchema.parse('acme'),
  model: 'auto',
  messages: [{ role: 'user', content: 'Hello' }],
  parameters: { temperature: 0.2, max_tokens: 10 },
};

describe('the canonical question', () => {
  it('does not see the order of keys, nor how the answer travels', () => {
    const same: Question = {
      ...question,
      messages: [{ content: 'Hello', role: 'user' }],
      parameters: {
        max_tokens: 10,
        user: 'u1',
        stream: true,
        stream_options: { include_usage: true },
        metadata: { a: '1' },
        temperature: 0.2,
      },
    };
    expect(canonicalQuestion(same)).toBe(canonicalQuestion(question));
  });

  it('sees everything else', () => {
    const others: readonly Question[] = [
      question,
      { ...question, tenant: tenantSchema.parse('umbrella') },
      { ...question, model: 'large' },
      { ...question, messages: [{ role: 'user', content: 'hello' }] },
      { ...question, messages: [{ role: 'system', content: 'Hello' }] },
      { ...question, messages: [...question.messages, ...question.messages] },
      { ...question, parameters: { temperature: 0.3, max_tokens: 10 } },
      { ...question, parameters: { temperature: 0.2 } },
      { ...question, parameters: { ...question.parameters, seed: 1 } },
      { ...question, parameters: { ...question.parameters, not_yet_known: true } },
    ];
    expect(new Set(others.map(canonicalQuestion)).size).toBe(others.length);
  });
});

describe('canonical JSON', () => {
  it('is JSON for the same value, in one form', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value as Json);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
      }),
      { seed: 61 },
    );
  });

  it('puts keys in order at every depth', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  });
});

describe('an answer is kept', () => {
  it.each([
    ['stop', 'use', true, true],
    ['stop', 'refresh', true, true],
    ['tool_calls', 'use', true, true],
    ['stop', 'no-store', true, false],
    ['stop', 'use', false, false],
    ['length', 'use', true, false],
    ['content_filter', 'use', true, false],
  ] as const)('finish reason %s, caching %s, enabled %s: %s', (finishReason, caching, enabled, kept) => {
    expect(cacheable({ finishReason, caching, enabled })).toBe(kept);
  });
});
