import { describe, expect, it } from 'vitest';
import { beginProgress, observePart, observeTaken, streamFigures } from '../../../src/domain/streaming/progress.ts';

describe('the figures of a stream', () => {
  it('given parts, then the first one, the longest pause between two and the end', () => {
    const progress = beginProgress(1_000);
    observePart(progress, 3, 1_050);
    observePart(progress, 4, 1_060);
    observePart(progress, 5, 1_160);
    expect(streamFigures(progress, 1_200)).toEqual({
      latencyMs: 200,
      firstTokenMs: 50,
      longestStallMs: 100,
      parts: 3,
      answerCharacters: 12,
    });
  });

  it('given a reader who takes his time, then that is no pause of the model, and it is counted apart', () => {
    const progress = beginProgress(0);
    observePart(progress, 1, 10);
    observeTaken(progress, 510);
    observePart(progress, 1, 530);
    observeTaken(progress, 530);
    expect(streamFigures(progress, 540)).toMatchObject({ longestStallMs: 20, latencyMs: 540 });
    expect(progress.heldMs).toBe(500);
  });

  it('given no part at all, then the first token came at the end', () => {
    expect(streamFigures(beginProgress(5), 30)).toMatchObject({ firstTokenMs: 25, latencyMs: 25, longestStallMs: 0, parts: 0 });
  });

  it('given a clock that was set back, then no time is negative', () => {
    const progress = beginProgress(1_000);
    observePart(progress, 1, 900);
    observeTaken(progress, 800);
    expect(streamFigures(progress, 700)).toMatchObject({ latencyMs: 0, firstTokenMs: 0, longestStallMs: 0 });
    expect(progress.heldMs).toBe(0);
  });
});
