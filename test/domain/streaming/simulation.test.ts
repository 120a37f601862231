import { describe, expect, test } from 'vitest';
import { simulateAnswer, type SimulationProfile } from '../../../src/domain/streaming/simulation.ts';

const profile: SimulationProfile = {
  firstTokenMs: { median: 200, p95: 900 },
  tokensPerSecond: 50,
  answerTokens: { median: 60, p95: 160 },
  errorRate: 0.1,
  quality: 0.7,
  seed: 1,
};
const simulate = (requestId: string, changes: Partial<SimulationProfile> = {}, maxTokens?: number) => {
  const { words, ...answer } = simulateAnswer({ ...profile, ...changes }, { model: 'm', requestId, maxTokens });
  return { ...answer, text: [...words()].join('') };
};

describe('a simulated answer', () => {
  test('is the same for the same seed, model and request, and another for any other', () => {
    expect(simulate('r')).toEqual(simulate('r'));
    expect(simulate('s')).not.toEqual(simulate('r'));
    expect(simulate('r', { seed: 2 })).not.toEqual(simulate('r'));
    const { words: _words, ...other } = simulateAnswer(profile, { model: 'n', requestId: 'r', maxTokens: undefined });
    expect(other.firstTokenMs).not.toBe(simulate('r').firstTokenMs);
  });

  test('says what it is, and has as many words as tokens', () => {
    const { text, tokens } = simulate('r');
    expect(text.startsWith('[simulated m] ')).toBe(true);
    expect(text.replace('[simulated m]', 'simulated').split(' ')).toHaveLength(tokens);
  });

  test('is cut at the tokens allowed, and says so', () => {
    const full = simulate('r');
    const cut = simulate('r', {}, 3);
    expect(cut).toMatchObject({ tokens: 3, finishReason: 'length' });
    expect(full.text.startsWith(cut.text)).toBe(true);
    expect(simulate('r', {}, full.tokens).finishReason).toBe('stop');
    expect(simulate('r', {}, 1).text).toBe('[simulated m]');
  });

  test('has the medians, percentiles and rates that were declared', () => {
    const count = 20_000;
    const all = Array.from({ length: count }, (_, n) => simulateAnswer(profile, { model: 'm', requestId: `r${n}`, maxTokens: undefined }));
    const at = (share: number, values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(share * count)]!;
    const within = (seen: number, declared: number, part: number) => {
      expect(Math.abs(seen / declared - 1)).toBeLessThan(part);
    };
    // Four standard errors or more; the ids are fixed, so the test does not flicker.
    const firsts = all.map((answer) => answer.firstTokenMs);
    within(at(0.5, firsts), 200, 0.04);
    within(at(0.95, firsts), 900, 0.06);
    const tokens = all.map((answer) => answer.tokens);
    within(at(0.5, tokens), 60, 0.04);
    within(at(0.95, tokens), 160, 0.06);
    within(all.filter((answer) => answer.fails).length / count, 0.1, 0.09);
    within(all.filter((answer) => answer.scoreMicro === 1_000_000).length / count, 0.7, 0.02);
  });

  test('has no draw outside of four standard deviations', () => {
    const longest = 200 * (900 / 200) ** (4 / 1.644853626951472);
    for (let n = 0; n < 20_000; n++)
      expect(simulateAnswer(profile, { model: 'm', requestId: `r${n}`, maxTokens: undefined }).firstTokenMs).toBeLessThanOrEqual(
        longest * 1.000001,
      );
  });

  test('knows certain failures, certain quality and no latency', () => {
    expect(simulate('r', { errorRate: 1 }).fails).toBe(true);
    expect(simulate('r', { errorRate: 0, quality: 1 })).toMatchObject({ fails: false, scoreMicro: 1_000_000 });
    expect(simulate('r', { quality: 0, firstTokenMs: { median: 0, p95: 0 } })).toMatchObject({ firstTokenMs: 0, scoreMicro: 0 });
  });
});
