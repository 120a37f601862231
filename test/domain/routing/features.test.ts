import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extractFeatures } from '../../../src/domain/routing/features.ts';
import { featuresSchema } from '../../../src/events/schemas/route.ts';

const ask = (content: string) => extractFeatures([{ role: 'user', content }]);

describe('features of a request', () => {
  it('counts the text of all messages, in characters and in UTF-8 bytes', () => {
    const features = extractFeatures([
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
    expect(features).toMatchObject({ version: 1, messageCount: 3, promptCharacters: 5 + 5 + 7, lastMessageCharacters: 5 });
    expect(features.promptTokensEstimate).toBe(Math.ceil((7 + 7 + 7) / 4));
  });

  it('knows code, mathematics and questions by their signs', () => {
    expect(ask('Why does this fail?\n```js\nfoo()\n```')).toMatchObject({ hasCode: true, isQuestion: true });
    expect(ask('def area(r):\n    return 3 * r')).toMatchObject({ hasCode: true, isQuestion: false });
    expect(ask('Solve x = 3 + 4 * 2')).toMatchObject({ hasMathematics: true, isQuestion: false });
    expect(ask('Evaluate \\frac{1}{2}')).toMatchObject({ hasMathematics: true });
    expect(ask('what is your refund policy')).toEqual(expect.objectContaining({ hasCode: false, hasMathematics: false, isQuestion: true }));
    expect(ask('Write a poem about the sea.')).toMatchObject({ hasCode: false, hasMathematics: false, isQuestion: false });
    expect(ask('これは何ですか？')).toMatchObject({ isQuestion: true });
  });

  it('looks at the begin and the end of the last message of the user only', () => {
    const filler = 'word '.repeat(2_000);
    expect(ask(`${filler}\`\`\`${filler}`).hasCode).toBe(false);
    expect(ask(`\`\`\`${filler}`).hasCode).toBe(true);
    expect(ask(`${filler}\`\`\``).hasCode).toBe(true);
    const features = extractFeatures([
      { role: 'user', content: '```' },
      { role: 'assistant', content: '```' },
      { role: 'user', content: 'Thanks.' },
    ]);
    expect(features).toMatchObject({ hasCode: false, lastMessageCharacters: 7 });
  });

  it('takes any messages that JSON can hold, and fits the schema of the event', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ role: fc.constantFrom('user', 'system'), content: fc.jsonValue(), tool_calls: fc.jsonValue() })),
        (messages) => {
          featuresSchema.parse(extractFeatures(messages as never));
        },
      ),
      { seed: 31 },
    );
  });

  it('costs little on text made to make patterns backtrack', () => {
    const unit = ['SELECT ', 'def a', 'const a ', '   ', 'import a.', '1 ', 'a(', '\\', 'class A'];
    const startedMs = performance.now();
    for (const text of unit) ask(text.repeat(200_000 / text.length));
    // A pattern that backtracks over 4,000 characters takes seconds; a right one well under a millisecond.
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});
