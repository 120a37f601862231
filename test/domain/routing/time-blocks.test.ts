import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockSpan, blockStart, blockStarts, tickMs, tickOf } from '../../../src/domain/routing/time-blocks.ts';

/** Ticks from the beginning of time to the year 2100, near the latest one and far from it. */
const latest = fc.oneof(fc.nat(200), fc.nat(Math.floor(Date.UTC(2100, 0) / tickMs)));
const tickBefore = (latestTick: number) =>
  fc.oneof(
    fc.nat(latestTick),
    fc.nat(Math.min(latestTick, 500)).map((age) => latestTick - age),
  );
const latestAndTick = latest.chain((latestTick) => fc.tuple(fc.constant(latestTick), tickBefore(latestTick)));

describe('blocks of time', () => {
  it('hold their tick, lie on the grid of their span, and are no wider than a sixteenth of their age', () => {
    fc.assert(
      fc.property(latestAndTick, ([latestTick, tick]) => {
        const start = blockStart(tick, latestTick);
        const span = blockSpan(tick, latestTick);
        expect(start % span).toBe(0);
        expect(tick >= start && tick < start + span).toBe(true);
        expect(span === 1 || latestTick - tick >= 16 * span).toBe(true);
      }),
      { seed: 14, numRuns: 2_000 },
    );
  });

  it('are a partition: their starts, in order, and every tick belongs to the last that does not lie after it', () => {
    fc.assert(
      fc.property(latestAndTick, ([latestTick, tick]) => {
        const starts = blockStarts(latestTick);
        expect(starts[0]).toBe(0);
        expect(starts.length).toBeLessThan(700);
        expect(starts.findLast((start) => start <= tick)).toBe(blockStart(tick, latestTick));
        for (const start of starts) expect(blockStart(start, latestTick)).toBe(start);
      }),
      { seed: 15, numRuns: 500 },
    );
  });

  it('only merge when the latest tick moves on', () => {
    fc.assert(
      fc.property(latestAndTick, fc.nat(100_000), ([latestTick, tick], later) => {
        const start = blockStart(tick, latestTick);
        const end = start + blockSpan(tick, latestTick);
        const moved = latestTick + later;
        expect(blockStart(start, moved)).toBe(blockStart(tick, moved));
        expect(blockStart(start, moved) + blockSpan(start, moved)).toBeGreaterThanOrEqual(end);
      }),
      { seed: 16, numRuns: 2_000 },
    );
  });

  it('count ticks of 16 s; what lies before 1970 is in the first', () => {
    expect([-1, 0, 15_999, 16_000].map(tickOf)).toEqual([0, 0, 0, 1]);
  });
});
