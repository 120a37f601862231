import { describe, expect, it } from 'vitest';
import { emptyEvidence } from '../../../src/domain/routing/evidence.ts';
import { expectationOf } from '../../../src/domain/routing/expectations.ts';
import { learn, request } from '../support/routing.ts';

const question = { cells: ['all', 'kind:other'], features: request, maxOutputTokens: 0 };
/** One dollar for a million tokens in, two for a million out: 10 tokens in are 10,000 nano-dollars, each token out 2,000. */
const price = { inputUsdPerMillionTokens: 1, outputUsdPerMillionTokens: 2 };
const listed = { arm: 'quick', price };
const unlisted = { arm: 'quick', price: null };

describe('what a request is expected to cost', () => {
  it('with a list price follows from the tokens of the prompt and of earlier answers', () => {
    const evidence = learn(emptyEvidence(), 'quick', { completionTokens: 100, costNanoUsd: 77, times: 5 });
    expect(expectationOf(evidence, listed, question).costNanoUsd).toBe(10_000 + 100 * 2_000);
    expect(expectationOf(evidence, listed, { ...question, maxOutputTokens: 30 }).costNanoUsd).toBe(10_000 + 30 * 2_000);
    expect(expectationOf(evidence, listed, { ...question, maxOutputTokens: 300 }).costNanoUsd).toBe(10_000 + 100 * 2_000);
  });

  it('with a list price is known before the first answer: 400 tokens', () => {
    expect(expectationOf(emptyEvidence(), listed, question)).toEqual({ costNanoUsd: 10_000 + 400 * 2_000, latencyMs: null });
  });

  it('follows a new price at once', () => {
    const evidence = learn(emptyEvidence(), 'quick', { completionTokens: 100, times: 500 });
    const dearer = { inputUsdPerMillionTokens: 100, outputUsdPerMillionTokens: 200 };
    expect(expectationOf(evidence, { arm: 'quick', price: dearer }, question).costNanoUsd).toBe(100 * (10_000 + 100 * 2_000));
  });

  it('without a price is what earlier answers did cost, and unknown before any', () => {
    const evidence = learn(emptyEvidence(), 'quick', { costNanoUsd: 500, latencyMs: 90, times: 5 });
    expect(expectationOf(evidence, unlisted, question)).toEqual({ costNanoUsd: 500, latencyMs: 90 });
    expect(expectationOf(emptyEvidence(), unlisted, question)).toEqual({ costNanoUsd: null, latencyMs: null });
    // Rewards of which no cost is on record say nothing.
    const unmeasured = learn(emptyEvidence(), 'quick', { measured: 0, times: 5 });
    expect(expectationOf(unmeasured, unlisted, question)).toEqual({ costNanoUsd: null, latencyMs: null });
  });

  it('leans, in a kind of request, on that of all with the weight of four answers', () => {
    const evidence = learn(emptyEvidence(), 'quick', { costNanoUsd: 1_000, times: 6 });
    learn(evidence, 'quick', { costNanoUsd: 200, times: 2, cells: ['all', 'kind:other'] });
    const all = (6 * 1_000 + 2 * 200) / 8;
    expect(expectationOf(evidence, unlisted, { ...question, cells: ['all'] }).costNanoUsd).toBe(all);
    expect(expectationOf(evidence, unlisted, question).costNanoUsd).toBeCloseTo((2 * 200 + 4 * all) / 6, 9);
    expect(expectationOf(evidence, unlisted, { ...question, cells: ['all', 'kind:never'] }).costNanoUsd).toBe(all);
  });
});

describe('a jump of what answers cost', () => {
  const before = () => {
    const evidence = emptyEvidence();
    for (let ticks = 0; ticks < 200; ticks++)
      learn(evidence, 'quick', { costNanoUsd: ticks % 2 === 0 ? 800 : 1_200, latencyMs: 50, ticks });
    return evidence;
  };
  const expected = (evidence: ReturnType<typeof before>) => expectationOf(evidence, unlisted, { ...question, cells: ['all'] }).costNanoUsd!;

  it('to a hundred times is followed after four answers, upwards and downwards', () => {
    for (const jumped of [100_000, 10]) {
      const evidence = before();
      for (let n = 0; n < 4; n++) learn(evidence, 'quick', { costNanoUsd: jumped, latencyMs: 50, ticks: 200 + n });
      expect(expected(evidence)).toBeCloseTo(jumped, 6);
      expect(expectationOf(evidence, unlisted, question).latencyMs).toBe(50);
    }
  });

  it('to three times is followed after sixteen, to twice after sixty-four', () => {
    for (const [jumped, answers] of [
      [3_400, 16],
      [2_200, 64],
    ] as const) {
      const evidence = before();
      for (let n = 0; n < answers; n++) learn(evidence, 'quick', { costNanoUsd: jumped, ticks: 200 + n });
      expect(Math.abs(expected(evidence) / jumped - 1)).toBeLessThan(0.05);
    }
  });

  it('is not seen in one dear answer, and not in noise', () => {
    const evidence = before();
    expect(expected(evidence)).toBe(1_000);
    learn(evidence, 'quick', { costNanoUsd: 15_000, ticks: 201 });
    expect(expected(evidence)).toBeLessThan(1_100);
  });

  it('is seen at once by who has looked before', () => {
    const evidence = before();
    expect(expected(evidence)).toBe(1_000);
    for (let n = 0; n < 4; n++) learn(evidence, 'quick', { costNanoUsd: 100_000, ticks: 200 + n });
    expect(expected(evidence)).toBeCloseTo(100_000, 6);
  });
});
