import { describe, expect, it } from 'vitest';
import { describeMark, shortfallsOf, verdictOf, type Mark } from '../../bench/marks.ts';

const mark = (value: number | null, comparison: Mark['comparison'], threshold = 2): Mark => ({
  name: 'lag',
  value,
  comparison,
  threshold,
  unit: ' s',
});

describe('a mark', () => {
  it.each([
    [1.99, '<', 'passes'],
    [2, '<', 'falls short'],
    [2, '<=', 'passes'],
    [2.01, '<=', 'falls short'],
    [2, '=', 'passes'],
    [3, '=', 'falls short'],
    [2, '>=', 'passes'],
    [1.99, '>=', 'falls short'],
    [2.01, '>', 'passes'],
    [2, '>', 'falls short'],
    [null, '>=', 'not measured'],
    [NaN, '<', 'falls short'],
    [NaN, '>=', 'falls short'],
  ] as const)('of %s %s 2 %s', (value, comparison, verdict) => {
    expect(verdictOf(mark(value, comparison))).toBe(verdict);
  });

  it('that was not measured is not held against anybody; one that falls short is named', () => {
    const short = { ...mark(3, '<'), name: 'short' };
    expect(shortfallsOf([mark(1, '<'), short, mark(null, '<')])).toEqual([short]);
  });

  it('says what was seen and what was expected', () => {
    expect(describeMark(mark(3, '<'))).toBe('lag: 3 s, expected < 2 s');
    expect(describeMark(mark(null, '<'))).toBe('lag: not measured, expected < 2 s');
  });
});
