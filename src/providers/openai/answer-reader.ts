import type { ProviderError, ProviderPart } from '../provider.ts';

/**
 * Turns the body of a response into parts, without I/O: bytes go in as they come, parts come out. After a part of kind `end` or `error` nothing
 * more is asked of it.
 */
export type AnswerReader = {
  readonly read: (chunk: Uint8Array) => readonly ProviderPart[];
  /** The body ended as HTTP says it should. */
  readonly end: () => readonly ProviderPart[];
  /** The body stopped before its end, for the reason given: the last part, which is an `end` if the answer was whole all the same. */
  readonly cut: (reason: ProviderError) => ProviderPart;
};

/**
 * Bound of the bytes of one body or one frame as sent. An answer of n bytes takes up to three times as many when its text is written in JSON escapes
 * (\uXXXX for two bytes); the rest is for what surrounds it.
 */
export const rawBytesMax = (maxAnswerBytes: number): number => 3 * maxAnswerBytes + 65_536;
