import { expect, it } from 'vitest';
import { asymptoticSequence } from '../../../../src/domain/evaluation/intervals/asymptotic.ts';

it('is the one-sided asymptotic sequence from either side', () => {
  // tail = -2 ln 0.05; r^2 = (tail + ln(1 + tail)) / 2,000; computed in Python.
  const { low, high } = asymptoticSequence({ count: 1_000, mean: 0.5, variance: 4 }, { alpha: 0.05 })!;
  expect(high - 0.5).toBeCloseTo(0.19559086378763, 12);
  expect(0.5 - low).toBeCloseTo(0.19559086378763, 12);
  const later = asymptoticSequence({ count: 1_000, mean: 0.5, variance: 4 }, { alpha: 0.05, tightestAt: 100_000 })!;
  expect(later.high - 0.5).toBeCloseTo(0.57898022600734, 12);
});

it('says nothing where nothing says how far values spread', () => {
  expect(asymptoticSequence({ count: 1, mean: 0.5, variance: 1 }, { alpha: 0.05 })).toBeNull();
  expect(asymptoticSequence({ count: 1_000, mean: 0.5, variance: 0 }, { alpha: 0.05 })).toBeNull();
});
