import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractFeatures } from '../../../../src/domain/routing/features/extract.ts';
import { featuresSchemaV2 } from '../../../../src/events/schemas/features.ts';
import type { JsonObject } from '../../../../src/json.ts';
import { ask, tenant } from './ask.ts';

const of = (messages: readonly JsonObject[], parameters: JsonObject = {}) => extractFeatures({ messages, parameters, tenant });
const user = (content: string) => ({ role: 'user', content });

describe('features of a request', () => {
  it('counts the text of all messages, in characters and in UTF-8 bytes', () => {
    const features = of([
      { role: 'system', content: 'Grüße' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi 👋' },
          { type: 'image_url', image_url: { url: 'data:xxxx' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [{ id: '1', function: { name: 'find', arguments: '{"a":1}' } }] },
    ]);
    expect(features).toMatchObject({ version: 2, tenant, messageCount: 3, conversationDepth: 1, hasSystemPrompt: true });
    expect(features).toMatchObject({ promptCharacters: 5 + 5 + 7, lastMessageCharacters: 5 });
    expect(features.promptTokensEstimate).toBe(Math.ceil((7 + 7 + 7) / 4));
  });

  it('knows code, mathematics and questions by their signs', () => {
    expect(ask('Why does this fail?\n```js\nfoo()\n```')).toMatchObject({ hasCode: true, isQuestion: true });
    expect(ask('def area(r):\n    return 3 * r')).toMatchObject({ hasCode: true, isQuestion: false });
    expect(ask('import numpy\nfrom os import path')).toMatchObject({ hasCode: true });
    expect(ask('const total = 1')).toMatchObject({ hasCode: true });
    expect(ask('run SELECT a, b FROM t')).toMatchObject({ hasCode: true });
    expect(ask('#include <stdio.h>')).toMatchObject({ hasCode: true });
    expect(ask('<p>text</p>')).toMatchObject({ hasCode: true });
    expect(ask('Let us select a class from the list, it is a function of time.')).toMatchObject({ hasCode: false });
    expect(ask('She came from home;')).toMatchObject({ hasCode: false });
    expect(ask(`SELECT ${'a '.repeat(150)} FROM t`)).toMatchObject({ hasCode: false });
    expect(ask('Solve x = 3 + 4 * 2')).toMatchObject({ hasMathematics: true, isQuestion: false });
    expect(ask('Evaluate \\frac{1}{2}')).toMatchObject({ hasMathematics: true });
    expect(ask('frac and sum are words')).toMatchObject({ hasMathematics: false });
    expect(ask('we know that a ≤ b')).toMatchObject({ hasMathematics: true });
    expect(ask('what is your refund policy')).toMatchObject({ hasCode: false, hasMathematics: false, isQuestion: true });
    expect(ask('Write a poem about the sea.')).toMatchObject({ hasCode: false, hasMathematics: false, isQuestion: false });
    expect(ask('これは何ですか？')).toMatchObject({ isQuestion: true });
  });

  it('looks at the begin and the end of the last message of the user only', () => {
    const filler = 'word '.repeat(2_000);
    expect(ask(`${filler}\`\`\`${filler}`).hasCode).toBe(false);
    expect(ask(`\`\`\`${filler}`).hasCode).toBe(true);
    expect(ask(`${filler}\`\`\``).hasCode).toBe(true);
    expect(ask(`Translate this. ${filler}`).kind).toBe('translation');
    expect(of([user('```'), { role: 'assistant', content: '```' }, user('Thanks.')])).toMatchObject({
      hasCode: false,
      lastMessageCharacters: 7,
      kind: 'conversation',
    });
    const parts = {
      role: 'user',
      content: Array.from({ length: 3_000 }, (_, i) => ({ type: 'text', text: i === 1_500 ? '```' : 'word' })),
    };
    expect(of([parts])).toMatchObject({ hasCode: false, lastMessageCharacters: 2_999 * 4 + 3 });
  });

  it('tells what kind of answer was asked for', () => {
    const asked = (parameters: JsonObject) => {
      const { requestedTokens, requestedFormat } = of([user('Hi')], parameters);
      return [requestedTokens, requestedFormat];
    };
    expect(asked({})).toEqual([0, 'text']);
    expect(asked({ max_tokens: 100, response_format: { type: 'text' }, tools: [] })).toEqual([100, 'text']);
    expect(asked({ max_tokens: 100, max_completion_tokens: 50, response_format: { type: 'json_object' } })).toEqual([50, 'json']);
    expect(asked({ max_tokens: Number.MAX_SAFE_INTEGER })).toEqual([Number.MAX_SAFE_INTEGER, 'text']);
    expect(asked({ max_tokens: 1e300 })).toEqual([Number.MAX_SAFE_INTEGER, 'text']);
    expect(asked({ response_format: { type: 'json_schema', json_schema: {} } })).toEqual([0, 'json']);
    expect(asked({ tools: [{ type: 'function' }], response_format: { type: 'json_object' } })).toEqual([0, 'tools']);
    expect(asked({ tools: [{ type: 'function' }], tool_choice: 'none' })).toEqual([0, 'text']);
    for (const wrong of ['many', -5, null, Number.NaN, Number.POSITIVE_INFINITY, [], { a: 1 }]) {
      expect(asked({ max_tokens: wrong, response_format: wrong, tools: wrong })).toEqual([0, 'text']);
    }
  });

  it('recognises a template by its opening, its ending and its system prompt', () => {
    const text = (order: number, name: string) => `Order ${order}: ${name} would like to know more.\nAnswer in one short sentence.`;
    const [one, two] = [ask(text(1, 'Ann')), ask(text(7, 'Bob'))];
    expect(two).toEqual({ ...one, promptCharacters: two.promptCharacters });
    expect(ask('Order 1: Ann would like to know more.\nAnswer in two long sentences.').ending).not.toBe(one.ending);
    expect(ask('Invoice 1: Ann would like to know more.\nAnswer in one short sentence.').opening).not.toBe(one.opening);
    const withSystem = (content: string) => of([{ role: 'system', content }, user('Hi')]);
    expect(withSystem(`You sort mail. ${'x'.repeat(200)} a`).system).toBe(withSystem(`You sort mail. ${'x'.repeat(200)} b`).system);
    expect(withSystem('You sort mail.').system).not.toBe(withSystem('You write verse.').system);
    expect(of([{ role: 'developer', content: 'You sort mail.' }, user('Hi')])).toMatchObject({
      system: withSystem('You sort mail.').system,
      hasSystemPrompt: true,
    });
    expect(withSystem('')).toMatchObject({ system: null, hasSystemPrompt: false });
    expect(ask('Hi')).toMatchObject({ system: null, hasSystemPrompt: false });
  });

  it('keeps signatures as they are: evidence is filed under them', () => {
    const { opening, ending } = ask('Is the following sentence plausible? "He scored a goal."');
    const { system } = of([{ role: 'system', content: 'You are a helpful assistant.' }, user('Hi')]);
    expect({ opening, ending, system }).toMatchInlineSnapshot(`
      {
        "ending": 77,
        "opening": 123,
        "system": 16,
      }
    `);
  });

  it('grows more complex with length, code, mathematics, reasons, steps and turns', () => {
    const plain = ask('Where is Rome?').complexity;
    expect(plain).toBeLessThan(0.1);
    for (const more of [
      'Where is Rome? ```x```',
      'Where is Rome? 3 * 4',
      'Where is Rome? Explain why.',
      'First, where is Rome? Then, where is Bern?',
      `Where is Rome? ${'a '.repeat(400)}`,
    ]) {
      expect(ask(more).complexity).toBeGreaterThan(plain);
    }
    expect(of([user('Hi'), user('Hi'), user('Where is Rome?')]).complexity).toBeGreaterThan(plain);
    const all = `Prove step by step why x^2 = 4, then analyse and compare the proof, and finally justify it.\n1) a 2) b 3) c\n\`\`\`x\`\`\`${' word'.repeat(2_000)}`;
    expect(of([...Array.from({ length: 9 }, () => user('Hi')), user(all)]).complexity).toBeGreaterThan(0.9);
  });
});

describe('features of anything', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom('\ud83d', '\udc4b', '_', '?', 'A', ')', '1', '\n', ' ', '`', '\\', '$', '=', '^', '请', 'é'),
      maxLength: 300,
    }),
    fc
      .array(fc.constantFrom('please', 'write', 'how', 'many', 'class', 'SELECT', 'FROM', '(A)', 'is', '?'), { maxLength: 400 })
      .map((words) => words.join(' ')),
  );

  it('takes any messages and parameters that JSON can hold, and fits the schema of the event', () => {
    const role = fc.constantFrom('user', 'system', 'developer', 'assistant', 'tool');
    const content = fc.oneof(texts, fc.jsonValue(), fc.array(fc.record({ type: fc.constant('text'), text: texts }), { maxLength: 4 }));
    fc.assert(
      fc.property(
        fc.array(fc.record({ role, content, tool_calls: fc.jsonValue() }), { maxLength: 6 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (messages, parameters) => {
          const features = of(messages as never, parameters as never);
          expect(featuresSchemaV2.parse(features)).toEqual(features);
          expect(of(messages as never, parameters as never)).toEqual(features);
        },
      ),
      { seed: 31, numRuns: 500 },
    );
  });

  it('has no memory of the text before', () => {
    fc.assert(
      fc.property(texts, texts, (before, text) => {
        const alone = ask(text);
        ask(before);
        expect(ask(text)).toEqual(alone);
      }),
      { seed: 32 },
    );
  });

  it('does not see what lies between begin and end of a long message', () => {
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const edge = 'Tell me more of it. '.repeat(30);
        const long = (middle: string) => ask(`${edge}${middle.padEnd(1_000, ' ').slice(0, 1_000)}${edge}`);
        expect({ ...long(one), promptTokensEstimate: 0 }).toEqual({ ...long(other), promptTokensEstimate: 0 });
      }),
      { seed: 33 },
    );
  });

  it.each([
    ['no messages', []],
    ['no user', [{ role: 'assistant', content: 'Hi' }]],
    ['no content', [{ role: 'user', content: null }]],
    ['numbers', [{ role: 'user', content: 12 }]],
    ['parts of no text', [{ role: 'user', content: [null, 3, ['x'], { text: 5 }, { type: 'image_url' }] }]],
    ['lone surrogates', [{ role: 'user', content: '\ud83d \udc4b \ud83d' }]],
    ['blank space', [{ role: 'user', content: ' \n\t\r\n ' }]],
  ])('knows nothing of a request with %s', (_what, messages) => {
    expect(of(messages as never)).toMatchObject({
      kind: 'other',
      hasCode: false,
      hasMathematics: false,
      isQuestion: false,
      complexity: 0,
      requestedTokens: 0,
    });
  });

  it('takes 10,000 messages', () => {
    const messages = Array.from({ length: 10_000 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: 'Thanks!' }));
    expect(of(messages)).toMatchObject({ messageCount: 10_000, conversationDepth: 5_000, promptCharacters: 70_000, kind: 'conversation' });
  });

  it('takes long texts made to be costly, and says of them what it says of less of the same', () => {
    const units = ['SELECT ', 'def a', 'const a ', '   ', 'import a.', '1 ', 'a(', '\\', 'class A', '_', '`', '(A) ', '? ', '请', '\ud83d'];
    for (const unit of units) {
      const much = ask(unit.repeat(Math.ceil(200_000 / unit.length)));
      const less = ask(unit.repeat(Math.ceil(20_000 / unit.length)));
      expect(much).toMatchObject({
        kind: less.kind,
        language: less.language,
        hasCode: less.hasCode,
        hasMathematics: less.hasMathematics,
        complexity: less.complexity,
      });
    }
  });
});
