import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { similarityOf } from '../../../src/domain/shadow/similarity.ts';

describe('similarity', () => {
  it('by hand: " ab " and " abc " share " ab"', () => {
    // " ab", "ab " against " ab", "abc", "bc ": one of four.
    expect(similarityOf('ab', 'abc')).toBe(1 / 4);
    // " aa", "aaa", "aa " against " aa", "aa ": two of three, however long the run.
    expect(similarityOf('aaaaaaaa', 'aa')).toBe(2 / 3);
  });

  it('does not see case, white space at the ends and how much of it', () => {
    expect(similarityOf('  The\n\nsame   Answer ', 'the same answer')).toBe(1);
  });

  it('grows with what two texts have in common', () => {
    const answer = 'The train from the north arrives at nine in the morning.';
    const near = similarityOf(answer, 'The train from the north arrives at ten in the morning.') ?? 0;
    const far = similarityOf(answer, 'Bananas are rich in potassium.') ?? 1;
    expect(near).toBeGreaterThan(0.7);
    expect(far).toBeLessThan(0.1);
    expect(similarityOf('abcdef', 'uvwxyz')).toBe(0);
  });

  it('null when one is empty', () => {
    expect([similarityOf('', 'a'), similarityOf('a', ' \n'), similarityOf('', '')]).toEqual([null, null, null]);
  });

  it('one character is a text', () => {
    expect(similarityOf('4', '4')).toBe(1);
    expect(similarityOf('4', '5')).toBe(0);
  });

  it('looks at 4,000 characters', () => {
    const begin = 'x y '.repeat(1_000);
    expect(similarityOf(`${begin}one end`, `${begin}quite another`)).toBe(1);
  });

  it('is symmetric, from 0 to 1, and 1 for equal texts', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const similarity = similarityOf(a, b);
        expect(similarityOf(b, a)).toBe(similarity);
        if (similarity !== null) {
          expect(similarity).toBeGreaterThanOrEqual(0);
          expect(similarity).toBeLessThanOrEqual(1);
        }
        const self = similarityOf(a, a);
        if (self !== null) expect(self).toBe(1);
      }),
      { seed: 18 },
    );
  });
});
