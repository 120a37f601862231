import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mayCover,
  openPurse,
  purseLimits,
  receiveBlock,
  reserve,
  settle,
  type Purse,
  type PurseLimits,
  type Reservation,
} from '../../../src/domain/shadow/purse.ts';

const limits: PurseLimits = { windowMs: 1_000, blocks: 4, blockNanoUsd: 100 };
const money = (nanoUsd: number, windowStartMs = 0): Reservation => ({ windowStartMs, nanoUsd });

/** A purse that wins every block. */
const alone = () => {
  const purse = openPurse(limits, 0);
  const ask = (nanoUsd: number, nowMs = 0) => {
    for (;;) {
      const asked = reserve(purse, nanoUsd, limits, nowMs);
      if (asked.kind !== 'take') return asked;
      receiveBlock(purse, { ...asked, won: true }, limits);
    }
  };
  return { purse, ask, settle: (reservation: Reservation, spent: number, nowMs = 0) => settle(purse, reservation, spent, limits, nowMs) };
};

describe('the budget as blocks', () => {
  it('is never more than the budget: rounded down', () => {
    expect(purseLimits(2, 240_000)).toEqual({ windowMs: 240_000, blocks: 20, blockNanoUsd: 6_666_666 });
    for (const usd of [0, 1e-9, 0.37, 2, 1_000_000]) {
      const { blocks, blockNanoUsd, windowMs } = purseLimits(usd, 77_777);
      expect(blocks * blockNanoUsd).toBeLessThanOrEqual((usd * 1e9 * windowMs) / 3_600_000);
      expect(Number.isSafeInteger(blocks * blockNanoUsd)).toBe(true);
    }
  });
});

describe('a purse', () => {
  it('takes as many blocks as a call needs, and no more', () => {
    const { purse, ask } = alone();
    expect(ask(250)).toEqual({ kind: 'reserved', reservation: money(250) });
    expect(purse).toMatchObject({ nextBlock: 3, freeNanoUsd: 50 });
  });

  it('gives back what was not needed', () => {
    const { purse, ask, settle: end } = alone();
    ask(250);
    expect(end(money(250), 30)).toBe(0);
    expect(purse.freeNanoUsd).toBe(270);
  });

  it('says beforehand what it would not cover, and nothing is reserved by that', () => {
    const step = fc.record({
      nanoUsd: fc.integer({ min: 0, max: 500 }),
      spent: fc.integer({ min: 0, max: 700 }),
      laterMs: fc.constantFrom(0, 0, 0, 700),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 0, max: 100 }), (steps, blockNanoUsd) => {
        const small = { ...limits, blockNanoUsd };
        const purse = openPurse(small, 0);
        let nowMs = 0;
        for (const { nanoUsd, spent, laterMs } of steps) {
          nowMs += laterMs;
          const foreseen = mayCover(purse, nanoUsd, small, nowMs);
          const before = { ...purse };
          expect(mayCover(purse, nanoUsd, small, nowMs)).toBe(foreseen);
          expect(purse).toEqual(before);
          const asked = reserve(purse, nanoUsd, small, nowMs);
          expect(asked.kind !== 'not-covered').toBe(foreseen);
          if (asked.kind === 'take') receiveBlock(purse, { ...asked, won: spent % 2 === 0 }, small);
          if (asked.kind === 'reserved') settle(purse, asked.reservation, spent, small, nowMs);
        }
      }),
      { seed: 17 },
    );
  });

  it('takes no block for a call that the window cannot cover', () => {
    const { purse, ask } = alone();
    expect(ask(401)).toEqual({ kind: 'not-covered' });
    expect(purse.nextBlock).toBe(0);
    ask(350);
    expect(ask(51)).toEqual({ kind: 'not-covered' });
    expect(ask(50).kind).toBe('reserved');
  });

  it('a free call needs no budget', () => {
    const none = purseLimits(0, 1_000);
    expect(reserve(openPurse(none, 0), 0, none, 0).kind).toBe('reserved');
    expect(reserve(openPurse(none, 0), 1, none, 0).kind).toBe('not-covered');
  });

  it('goes on behind blocks that others have taken', () => {
    const purse = openPurse(limits, 0);
    expect(reserve(purse, 10, limits, 0)).toEqual({ kind: 'take', windowStartMs: 0, block: 0 });
    receiveBlock(purse, { windowStartMs: 0, block: 0, won: false }, limits);
    expect(reserve(purse, 10, limits, 0)).toEqual({ kind: 'take', windowStartMs: 0, block: 1 });
    for (const block of [1, 2, 3]) receiveBlock(purse, { windowStartMs: 0, block, won: false }, limits);
    expect(reserve(purse, 10, limits, 0)).toEqual({ kind: 'not-covered' });
  });

  it('loses what is left when the window ends, also what comes back later', () => {
    const { purse, ask, settle: end } = alone();
    ask(150);
    expect(reserve(purse, 10, limits, 1_000)).toEqual({ kind: 'take', windowStartMs: 1_000, block: 0 });
    expect(purse.freeNanoUsd).toBe(0);
    end(money(150), 10, 1_000);
    expect(purse.freeNanoUsd).toBe(0);
    receiveBlock(purse, { windowStartMs: 0, block: 3, won: true }, limits);
    expect(purse).toMatchObject({ freeNanoUsd: 0, nextBlock: 0 });
  });

  it('pays an overrun from what is free, and the rest from the next blocks', () => {
    const { purse, ask, settle: end } = alone();
    ask(80);
    expect(end(money(80), 95)).toBe(15);
    expect(purse).toMatchObject({ freeNanoUsd: 5, debtNanoUsd: 0 });
    ask(105);
    expect(end(money(105), 255)).toBe(150);
    expect(purse).toMatchObject({ freeNanoUsd: 0, debtNanoUsd: 150 });
    // Two blocks are left in this window: 200 pay 150.
    expect(ask(10).kind).toBe('reserved');
    expect(purse).toMatchObject({ freeNanoUsd: 40, debtNanoUsd: 0, nextBlock: 4 });
  });

  it('reserves nothing, not even for nothing, while it owes; a debt outlives its window', () => {
    const { purse, ask, settle: end } = alone();
    ask(400);
    end(money(400), 550);
    expect(purse.debtNanoUsd).toBe(150);
    expect(ask(0)).toEqual({ kind: 'not-covered' });
    expect(ask(100, 1_000).kind).toBe('reserved');
    expect(purse).toMatchObject({ windowStartMs: 1_000, debtNanoUsd: 0, nextBlock: 3, freeNanoUsd: 50 });
  });
});

/**
 * Several processes on one log, which gives each block to the first who asks. They reserve, settle, die and begin anew in any order; a process that died leaves its calls to be
 * billed at what was reserved for them.
 */
describe('any course of events', () => {
  type Step =
    | { readonly kind: 'call'; readonly by: number; readonly worst: number }
    | { readonly kind: 'end'; readonly by: number; readonly part: number }
    | { readonly kind: 'crash'; readonly by: number }
    | { readonly kind: 'time'; readonly ms: number };
  const by = fc.integer({ min: 0, max: 2 });
  const step = (most: number): fc.Arbitrary<Step> =>
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('call' as const), by, worst: fc.integer({ min: 0, max: 450 }) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), by, part: fc.double({ min: 0, max: most, noNaN: true }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), by }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: -700, max: 1_200 }) }) },
    );

  const run = (steps: readonly Step[]) => {
    let nowMs = 10_000;
    const taken = new Set<string>();
    const spent = new Map<number, number>();
    let overruns = 0;
    const spend = (windowStartMs: number, nanoUsd: number) => spent.set(windowStartMs, (spent.get(windowStartMs) ?? 0) + nanoUsd);
    type Process = { purse: Purse; calls: Reservation[] };
    const begin = (): Process => ({ purse: openPurse(limits, nowMs), calls: [] });
    const processes = [begin(), begin(), begin()];
    const of = (index: number): Process => processes[index] ?? begin();
    for (const next of steps)
      switch (next.kind) {
        case 'call':
          for (;;) {
            const { purse, calls } = of(next.by);
            const asked = reserve(purse, next.worst, limits, nowMs);
            if (asked.kind === 'reserved') calls.push(asked.reservation);
            if (asked.kind !== 'take') break;
            const id = `${asked.windowStartMs}:${asked.block}`;
            receiveBlock(purse, { ...asked, won: !taken.has(id) }, limits);
            taken.add(id);
          }
          break;
        case 'end': {
          const { purse, calls } = of(next.by);
          const reservation = calls.shift();
          if (reservation === undefined) break;
          const cost = Math.round(reservation.nanoUsd * next.part);
          overruns += settle(purse, reservation, cost, limits, nowMs);
          spend(reservation.windowStartMs, cost);
          break;
        }
        case 'crash':
          for (const { windowStartMs, nanoUsd } of of(next.by).calls) spend(windowStartMs, nanoUsd);
          processes[next.by] = begin();
          break;
        case 'time':
          nowMs += next.ms;
          break;
      }
    for (const { calls } of processes) for (const { windowStartMs, nanoUsd } of calls) spend(windowStartMs, nanoUsd);
    const debt = processes.reduce((sum, { purse }) => sum + purse.debtNanoUsd, 0);
    return { spent, taken, overruns, debt };
  };

  it('no window costs more than its budget, whoever dies and whatever the clock does', () => {
    let calls = 0;
    fc.assert(
      fc.property(fc.array(step(1), { maxLength: 120 }), (steps) => {
        const { spent, taken } = run(steps);
        for (const [windowStartMs, nanoUsd] of spent) {
          const granted = [...taken].filter((id) => id.startsWith(`${windowStartMs}:`)).length;
          expect(granted).toBeLessThanOrEqual(limits.blocks);
          expect(nanoUsd).toBeLessThanOrEqual(granted * limits.blockNanoUsd);
          calls++;
        }
      }),
      { numRuns: 500, seed: 7 },
    );
    expect(calls).toBeGreaterThan(300);
  });

  it('where calls cost up to three times as much as was reserved, all of it is granted or owed', () => {
    fc.assert(
      fc.property(
        fc.array(
          step(3).filter(({ kind }) => kind !== 'crash'),
          { maxLength: 120 },
        ),
        (steps) => {
          const { spent, taken, debt } = run(steps);
          const total = spent.values().reduce((sum, nanoUsd) => sum + nanoUsd, 0);
          expect(total).toBeLessThanOrEqual(taken.size * limits.blockNanoUsd + debt);
        },
      ),
      { numRuns: 500, seed: 8 },
    );
  });
});
