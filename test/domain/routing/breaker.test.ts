import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakerIsOpen, ticksBack } from '../../../src/domain/routing/breaker.ts';
import { emptyEvidence } from '../../../src/domain/routing/evidence.ts';
import { learn, startTick } from '../support/routing.ts';

const failures = (times: number, ticks = 0, evidence = emptyEvidence()) => learn(evidence, 'quick', { failures: 1, times, ticks });
const isOpen = (evidence: ReturnType<typeof emptyEvidence>, ticks: number) => breakerIsOpen(evidence, 'quick', startTick + ticks);

describe('the breaker of an arm', () => {
  it('opens with the fifth failure', () => {
    expect(isOpen(failures(4), 0)).toBe(false);
    expect(isOpen(failures(5), 0)).toBe(true);
    expect(breakerIsOpen(failures(5), 'careful', startTick)).toBe(false);
  });

  it('stays closed while at least half of the answers are good', () => {
    expect(isOpen(learn(failures(8), 'quick', { reward: 1, times: 8 }), 0)).toBe(false);
    expect(isOpen(learn(failures(9), 'quick', { reward: 1, times: 8 }), 0)).toBe(true);
  });

  it('closes when the failures are eight ticks old, whatever came of other arms', () => {
    const evidence = learn(failures(9), 'careful', { ticks: 500 });
    expect([0, ticksBack - 1, ticksBack, ticksBack + 1].map((ticks) => isOpen(failures(9), ticks))).toEqual([true, true, false, false]);
    expect([0, ticksBack - 1, ticksBack, 500].map((ticks) => isOpen(evidence, ticks))).toEqual([true, true, false, false]);
  });

  it('counts the failures of the eight latest ticks together', () => {
    const evidence = failures(3, ticksBack - 1, failures(2, 0));
    expect([ticksBack - 1, ticksBack].map((ticks) => isOpen(evidence, ticks))).toEqual([true, false]);
  });

  it('is the same in whatever order the answers came', () => {
    const answer = fc.record({ failures: fc.nat(1), ticks: fc.nat(ticksBack + 2), measured: fc.constant(1) });
    let open = 0;
    fc.assert(
      fc.property(
        fc
          .array(answer, { maxLength: 30 })
          .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const fold = (answers: typeof list) => answers.reduce((evidence, one) => learn(evidence, 'quick', one), emptyEvidence());
          for (let ticks = 0; ticks < 2 * ticksBack + 3; ticks++) {
            const seen = isOpen(fold(list), ticks);
            if (seen) open++;
            expect(isOpen(fold(shuffled), ticks)).toBe(seen);
          }
        },
      ),
      { seed: 74 },
    );
    expect(open).toBeGreaterThan(20);
  });
});
