import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyEvidence, type Evidence } from '../../../src/domain/routing/evidence.ts';
import { fieldIndex } from '../../../src/domain/routing/sums.ts';
import { decayOf, read, type Reading } from '../../../src/domain/routing/memory.ts';
import { learn, startTick } from '../support/routing.ts';

const inTicks = (halfLife: number | null) => decayOf(halfLife === null ? null : halfLife * 16);

const readFrom = (evidence: Evidence, reading: Partial<Reading>): readonly number[] =>
  Array.from(
    read(evidence.arms.get('quick')!.cells.get('all')!, evidence.latestTick, {
      nowTick: evidence.latestTick,
      decay: null,
      sinceTick: 0,
      ...reading,
    }),
  );
const trials = (evidence: Evidence, reading: Partial<Reading>) => readFrom(evidence, reading)[fieldIndex.trials];

describe('the decayed reading', () => {
  it('halves all sums with each half-life of event time', () => {
    const evidence = learn(emptyEvidence(), 'quick', { reward: 0.8, costNanoUsd: 1_000, latencyMs: 40 });
    const now = readFrom(evidence, { decay: inTicks(100) });
    const later = readFrom(evidence, { decay: inTicks(100), nowTick: startTick + 100 });
    const muchLater = readFrom(evidence, { decay: inTicks(100), nowTick: startTick + 300 });
    expect(now[fieldIndex.success]).toBe(800_000);
    expect(later).toEqual(now.map((sum) => sum / 2));
    expect(muchLater).toEqual(now.map((sum) => sum / 8));
  });

  it('weighs what is dated after the moment of reading in full, and no more', () => {
    const evidence = learn(emptyEvidence(), 'quick', { ticks: 50 });
    expect(trials(evidence, { decay: inTicks(10), nowTick: startTick })).toBe(1);
  });

  it('without a half-life is the plain sum of everything', () => {
    const evidence = emptyEvidence();
    for (const ticks of [0, 1_000, 2_000_000]) learn(evidence, 'quick', { ticks });
    expect(trials(evidence, {})).toBe(3);
  });

  it('of a wide block errs by no more than a sixteenth of its age', () => {
    const evidence = emptyEvidence();
    learn(evidence, 'quick', { ticks: 0 });
    for (const age of [100, 1_000, 10_000, 100_000]) {
      learn(evidence, 'careful', { ticks: age });
      const halfLife = age;
      const exact = 0.5;
      expect(Math.abs(Math.log2(trials(evidence, { decay: inTicks(halfLife) })! / exact))).toBeLessThan(1 / 16);
    }
  });

  it('does not count what lies before a change, with or without decay', () => {
    const evidence = emptyEvidence();
    for (let ticks = 0; ticks < 10; ticks++) learn(evidence, 'quick', { ticks });
    expect(trials(evidence, { sinceTick: startTick + 6 })).toBe(4);
    expect(trials(evidence, { sinceTick: startTick + 6, decay: inTicks(1), nowTick: startTick + 9 })).toBeCloseTo(
      1 + 1 / 2 + 1 / 4 + 1 / 8,
      14,
    );
    expect(trials(evidence, { sinceTick: startTick + 10 })).toBe(0);
  });

  it('counts a half-life in ticks of 16 s', () => {
    expect([decayOf(null), decayOf(160)?.halfLifeTicks]).toEqual([null, 10]);
  });
});

/** What happens to a series: a reward of its arm or of another somewhere in time, or a reading that nobody compares. Few different ones, so that some come again. */
const step = fc.oneof(
  fc.record({
    arm: fc.constantFrom('quick', 'quick', 'careful'),
    reward: fc.double({ min: 0, max: 1, noNaN: true }),
    ticks: fc.oneof(fc.nat(40), fc.nat(60_000)),
  }),
  fc.record({
    nowTick: fc.constantFrom(0, 30, 20_000, 70_000).map((ticks) => startTick + ticks),
    decay: fc.constantFrom(null, 1, 3, 10, 50, 100, 500, 1_000, 5_000, 20_000).map(inTicks),
    sinceTick: fc.constantFrom(0, startTick, startTick + 20, startTick + 5_000),
  }),
);

it('gives the same bytes whatever was read before: what is remembered of readings never shows', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const [read, fresh] = [emptyEvidence(), emptyEvidence()];
      learn(read, 'quick', {});
      learn(fresh, 'quick', {});
      const readings: Reading[] = [{ nowTick: startTick + 7, decay: inTicks(100), sinceTick: startTick + 1 }];
      for (const one of steps) {
        if ('reward' in one) for (const evidence of [read, fresh]) learn(evidence, one.arm, one);
        else {
          readings.push(one);
          readFrom(read, one);
        }
      }
      // The latest first: it is the one that may still be remembered.
      for (const reading of readings.reverse()) {
        // Nobody has ever read from this one.
        const unread = structuredClone(fresh);
        expect(readFrom(read, reading)).toEqual(readFrom(unread, reading));
      }
    }),
    { seed: 62, numRuns: 300 },
  );
});
