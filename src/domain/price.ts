import { decimalOf, plus, roundedAt, times } from './decimal.ts';

/** What an answer costs, in whole nano-dollars (1e-9), and how many tokens a text is when nobody has counted them. */
export type Price = { readonly inputUsdPerMillionTokens: number; readonly outputUsdPerMillionTokens: number };

/** Exact, rounded once at the end, halves up. A dollar for a million tokens is 1,000 nano-dollars for each. */
export const costNanoUsd = (usage: { readonly promptTokens: number; readonly completionTokens: number }, price: Price): number =>
  roundedAt(
    plus(
      times(decimalOf(price.inputUsdPerMillionTokens), usage.promptTokens),
      times(decimalOf(price.outputUsdPerMillionTokens), usage.completionTokens),
    ),
    3,
  );

export const nanoUsdOf = (usd: number): number => roundedAt(decimalOf(usd), 9);

/** Millionths of one, for scores and rewards between 0 and 1. */
export const microOf = (share: number): number => roundedAt(decimalOf(share), 6);

/** A quarter of the UTF-8 bytes, rounded up: what a token of English text comes to. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text, 'utf8') / 4);
