import { describe, expect, it } from 'vitest';
import { mismatchesOf, type Parity } from '../../src/demo/parity.ts';

const whole: Parity = {
  sent: 10,
  answered: 9,
  failed: 1,
  log: { events: 41, routed: 8, fromCache: 2, completed: 9, failed: 1, rewarded: 10, feedback: 8, revised: 8, twice: 0 },
  rows: {
    events: 41,
    distinct: 41,
    duplicates: 0,
    routed: 8,
    fromCache: 2,
    completed: 9,
    failed: 1,
    rewarded: 10,
    feedback: 8,
    revised: 8,
  },
};

describe('parity', () => {
  it('holds when every request is accounted for everywhere', () => {
    expect(mismatchesOf(whole)).toEqual([]);
  });

  it.each([
    ['a request without an answer', { ...whole, answered: 8 }, /answered or failed: expected 10, got 9/],
    ['a lost decision', { ...whole, log: { ...whole.log, routed: 7 }, rows: { ...whole.rows, routed: 7 } }, /decided in the log/],
    [
      'a lost reward',
      { ...whole, log: { ...whole.log, rewarded: 9 }, rows: { ...whole.rows, rewarded: 9 } },
      /rewarded in the log: expected 10, got 9/,
    ],
    ['a request decided twice', { ...whole, log: { ...whole.log, twice: 1 } }, /recorded twice in the log: expected 0, got 1/],
    ['a row too many', { ...whole, rows: { ...whole.rows, events: 42, duplicates: 1 } }, /duplicates in ClickHouse: expected 0, got 1/],
    [
      'a row too few',
      { ...whole, rows: { ...whole.rows, events: 40, distinct: 40, completed: 8 } },
      /completed in ClickHouse: expected 9, got 8/,
    ],
  ])('names %s', (_, parity, expected) => {
    expect(mismatchesOf(parity).join('\n')).toMatch(expected);
  });
});
