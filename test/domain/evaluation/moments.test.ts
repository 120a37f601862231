import { describe, expect, it } from 'vitest';
import { openCovariances } from '../../../src/domain/evaluation/covariances.ts';
import { addBlock, momentsOf, noMoments } from '../../../src/domain/evaluation/moments.ts';
import { seededRandom } from '../../../src/domain/random.ts';

/** Numbers around 1e6 that differ by about 1: sums of their squares would hold 4 digits of the variance. */
const random = seededRandom('moments');
const first = Float64Array.from({ length: 10_000 }, () => 1e6 + random());
const second = first.map((value) => 2 * (value - 1e6) + random() - 1e6);

/** Exactly: in whole multiples of 2^-80. */
const exactly = (one: Float64Array, other: Float64Array): { readonly mean: number; readonly covariance: number } => {
  const whole = (value: number) => BigInt(Math.floor(value)) * 2n ** 80n + BigInt((value - Math.floor(value)) * 2 ** 80);
  const sumOf = (values: readonly bigint[]) => values.reduce((sum, value) => sum + value, 0n);
  const [ones, others] = [Array.from(one, whole), Array.from(other, whole)];
  const count = BigInt(one.length);
  const products = count * sumOf(ones.map((value, i) => value * others[i]!)) - sumOf(ones) * sumOf(others);
  return {
    mean: Number(sumOf(ones)) / 2 ** 80 / one.length,
    covariance: Number(products / count / count) / 2 ** 160,
  };
};

const blocks = (length: number, size: number) =>
  Array.from({ length: Math.ceil(length / size) }, (_, i) => [i * size, Math.min(length, (i + 1) * size)] as const);

describe.each([1, 7, 1_024, 10_000])('moments by blocks of %d', (size) => {
  it('are those of whole numbers of any length', () => {
    const moments = noMoments();
    const covariances = openCovariances(2);
    for (const [from, to] of blocks(10_000, size)) {
      addBlock(moments, first.slice(from, to), to - from);
      covariances.add([first.slice(from, to), second.slice(from, to)], to - from);
    }
    const own = exactly(first, first);
    const cross = exactly(first, second);
    expect(Math.abs(momentsOf(moments).mean / own.mean - 1)).toBeLessThan(1e-15);
    expect(Math.abs(momentsOf(moments).variance / own.covariance - 1)).toBeLessThan(1e-10);
    expect(moments).toMatchObject({ count: 10_000, least: Math.min(...first), most: Math.max(...first) });
    expect(Math.abs(covariances.mean(0) / own.mean - 1)).toBeLessThan(1e-15);
    expect(Math.abs(covariances.covariance(0, 0) / own.covariance - 1)).toBeLessThan(1e-10);
    expect(Math.abs(covariances.covariance(1, 0) / cross.covariance - 1)).toBeLessThan(1e-10);
    expect(covariances.covariance(0, 1)).toBe(covariances.covariance(1, 0));
  });
});

it('sums of squares would not do: the numbers above see it', () => {
  const mean = first.reduce((sum, value) => sum + value) / first.length;
  const square = first.reduce((sum, value) => sum + value * value) / first.length;
  expect(Math.abs((square - mean * mean) / exactly(first, first).covariance - 1)).toBeGreaterThan(1e-6);
});
