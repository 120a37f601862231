import { expect, it } from 'vitest';
import { lostBound } from '../../../src/replay/evaluation/warnings.ts';
import { weightBound } from '../../../src/replay/logged/weight-bound.ts';

it.each([
  ['nothing is promised', null, 0.001, null, null],
  ['the records keep to it', 100, 0.01, 100, null],
  ['they do within rounding', 3, 1 / 3 - 1e-12, 3, null],
  ['one of them does not', 100, 0.005, null, 'the floors in force promise no probability below 0.0100, and one of 0.00500 was logged'],
])('%s', (_what, claimed, least, largest, said) => {
  const bound = weightBound(claimed, least);
  expect(bound).toEqual({ claimed, largest });
  const lost = lostBound(bound, least);
  expect(lost.map(({ what }) => what)).toEqual(said === null ? [] : [said]);
});
