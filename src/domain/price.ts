import type { Usage } from '../requests/answer.ts';

/** Dollars per million tokens. */
export type Price = { readonly inputUsdPerMillionTokens: number; readonly outputUsdPerMillionTokens: number };

/**
 * What an answer cost, in whole 1e-9 dollars, rounded to the nearest. A dollar per million tokens is 1,000 of them a token.
 */
export const costNanoUsd = (usage: Usage, price: Price): number =>
  Math.round(
    usage.promptTokens * price.inputUsdPerMillionTokens * 1_000 + usage.completionTokens * price.outputUsdPerMillionTokens * 1_000,
  );

/** Tokens of a text whose provider did not count them: a quarter of its UTF-8 bytes, rounded up. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text, 'utf8') / 4);
