import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costNanoUsd, estimateTokens, microOf, nanoUsdOf } from '../../src/domain/price.ts';

describe('the cost of an answer', () => {
  // Computed with Python's decimal, ROUND_HALF_UP.
  test.each([
    [0.15, 0.6, 1_234, 567, 525_300],
    [2.5, 10, 1, 1, 12_500],
    [0.0000335, 0.1, 7, 3, 300],
    [3.3333, 1e-9, 100_000_000, 100_000_000, 333_330_000_100],
    [10_000, 10_000, 100_000_000, 100_000_000, 2e15],
    [0.0005, 0, 1, 0, 1],
    [0.0004999, 0, 1, 0, 0],
    [1e-7, 1e-7, 5_000, 1, 1],
    [0, 0, 1_000, 1_000, 0],
  ])('$%d and $%d a million tokens, %i in, %i out: %i nano-dollars', (input, output, promptTokens, completionTokens, cost) => {
    expect(costNanoUsd({ promptTokens, completionTokens }, { inputUsdPerMillionTokens: input, outputUsdPerMillionTokens: output })).toBe(
      cost,
    );
  });

  test('is exact for prices in whole nano-dollars a token, where floating point is not', () => {
    fc.assert(
      fc.property(
        fc.nat(10_000_000),
        fc.nat(10_000_000),
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        (input, output, promptTokens, completionTokens) => {
          const price = { inputUsdPerMillionTokens: input / 1_000, outputUsdPerMillionTokens: output / 1_000 };
          const exact = BigInt(input) * BigInt(promptTokens) + BigInt(output) * BigInt(completionTokens);
          expect(BigInt(costNanoUsd({ promptTokens, completionTokens }, price))).toBe(exact);
        },
      ),
      { seed: 6 },
    );
  });
});

test.each([
  [3.73e-5, 37_300],
  [0.03494625, 34_946_250],
  [1e-9, 1],
  [4.9e-10, 0],
  [5e-10, 1],
  [12, 12_000_000_000],
])('%d dollars are %i nano-dollars', (usd, nano) => {
  expect(nanoUsdOf(usd)).toBe(nano);
});

test.each([
  [0, 0],
  [0.97, 970_000],
  [0.1234565, 123_457],
  [1, 1_000_000],
])('%d is %i millionths', (share, micro) => {
  expect(microOf(share)).toBe(micro);
});

test.each([
  ['', 0],
  ['a', 1],
  ['abcd', 1],
  ['abcde', 2],
  ['äöü', 2],
  ['😀', 1],
])('the text "%s" is taken for %i tokens', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});
