import { expect, it } from 'vitest';
import { interning } from '../../src/replay/interning.ts';

it('gives the same value for equal texts, and does not keep more than so many', () => {
  const made: string[] = [];
  const listOf = interning((text) => {
    made.push(text);
    return text.split(' ');
  });
  const first = listOf('a b');
  expect(first).toEqual(['a', 'b']);
  expect(listOf(['a', 'b'].join(' '))).toBe(first);
  for (let i = 1; i < 10_000; i++) listOf(`a ${i}`);
  expect(listOf('a b')).toBe(first);
  listOf('one more');
  expect(listOf('a b')).not.toBe(first);
  expect(made.length).toBe(10_002);
});
