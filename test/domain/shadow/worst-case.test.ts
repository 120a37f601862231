import { describe, expect, it } from 'vitest';
import { worstCase } from '../../../src/domain/shadow/worst-case.ts';

const price = { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 10 };
const call = { promptTokensEstimate: 100, messageCount: 2, maxOutputTokens: 0 };
const model = { price, dearestAnswerNanoUsd: undefined };

describe('the worst case of a call', () => {
  it('twice the estimate and 8 tokens a message, and the configured length where the caller gave none', () => {
    // 216 tokens at 1,000 nano-dollars, 500 at 10,000.
    expect(worstCase(call, model, 500)).toEqual({ answerTokens: 500, nanoUsd: 216_000 + 5_000_000 });
  });

  it("the caller's limit, longer or shorter", () => {
    expect(worstCase({ ...call, maxOutputTokens: 7 }, model, 500)).toEqual({ answerTokens: 7, nanoUsd: 216_000 + 70_000 });
    expect(worstCase({ ...call, maxOutputTokens: 5_000 }, model, 500).answerTokens).toBe(5_000);
  });

  it('a limit beyond all bounds stays a whole number, and beyond any budget', () => {
    const { nanoUsd } = worstCase({ ...call, maxOutputTokens: Number.MAX_SAFE_INTEGER }, model, 500);
    expect(Number.isSafeInteger(nanoUsd)).toBe(true);
    expect(nanoUsd).toBeGreaterThan(1e12);
  });

  it('never less than the dearest answer of a provider that knows it', () => {
    const free = { price: { inputUsdPerMillionTokens: 0, outputUsdPerMillionTokens: 0 }, dearestAnswerNanoUsd: 123_456 };
    expect(worstCase(call, free, 500).nanoUsd).toBe(123_456);
    expect(worstCase(call, { ...model, dearestAnswerNanoUsd: 1 }, 500).nanoUsd).toBe(5_216_000);
  });
});
