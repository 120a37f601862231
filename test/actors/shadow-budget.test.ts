import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAppender } from '../../src/actors/appender.ts';
import { createLogClock } from '../../src/actors/log-clock.ts';
import { createShadowBudget, type ShadowBudget } from '../../src/actors/shadow-budget.ts';
import { createMemoryBus } from '../../src/bus/memory/bus.ts';
import type { EventLog } from '../../src/bus/event-log.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { testSettings } from '../support/settings.ts';
import { eventsOfType, silent } from './support/actors.ts';
import { away, losesAcknowledgements } from './support/faults.ts';

/** Processes that share one log. The log's clock is moved by hand; a process may have one that is wrong. */
const windowMs = 240_000;
const startMs = 1_800_000_000_000 - (1_800_000_000_000 % windowMs);
/** 20 blocks of 100, and a little that rounding takes. */
const budgetUsdPerHour = (2_001 / 1e9) * (3_600_000 / windowMs);
const windowNanoUsd = 2_000;

const givenLog = () => {
  const clock = createManualClock(startMs);
  const bus = createMemoryBus({ config: testSettings().config, clock });
  let processes = 0;
  const open = (options: { readonly skewMs?: number; readonly log?: EventLog } = {}): ShadowBudget => {
    const { skewMs = 0, log = bus.log } = options;
    return createShadowBudget({
      instance: `process-${++processes}`,
      budgetUsdPerHour,
      duplicateWindowMs: 300_000,
      append: createAppender({
        log,
        delivery: { appended: () => undefined },
        clock: createLogClock({ hostMs: clock.nowMs, logger: silent, onSetBack: () => undefined }),
        logger: silent,
      }),
      log,
      logger: silent,
      nowMs: () => clock.nowMs() + skewMs,
    });
  };
  return { clock, bus, open };
};

const reserved = async (budget: ShadowBudget, nanoUsd: number): Promise<boolean> => (await budget.reserve(nanoUsd)).kind === 'reserved';
const blocksOf = async (bus: ReturnType<typeof givenLog>['bus']) =>
  (await eventsOfType(bus, 'shadow.granted')).map(({ data, source }) => [data.block, source.replace('switchyard/process-', '')]);

describe('blocks of the budget', () => {
  it('are taken one by one, each by one process', async () => {
    const { bus, open } = givenLog();
    const [a, b] = [open(), open()];
    expect(await reserved(a, 150)).toBe(true);
    expect(await reserved(b, 50)).toBe(true);
    expect(await reserved(a, 60)).toBe(true);
    expect(await blocksOf(bus)).toEqual([
      [0, '1'],
      [1, '1'],
      [2, '2'],
      [3, '1'],
    ]);
    const [first] = await eventsOfType(bus, 'shadow.granted');
    expect(first).toMatchObject({
      tenant: '_system',
      data: { windowStart: new Date(startMs).toISOString(), windowMs, block: 0, blocks: 20, blockNanoUsd: 100, host: 'process-1' },
    });
  });

  it('many calls at once share what one of them takes', async () => {
    const { bus, open } = givenLog();
    const budget = open();
    const all = await Promise.all(Array.from({ length: 30 }, () => reserved(budget, 10)));
    expect(all.every(Boolean)).toBe(true);
    expect(await blocksOf(bus)).toHaveLength(3);
  });

  it('two processes that ask for all they can get have the budget together, and no more', async () => {
    const { open } = givenLog();
    const all = await Promise.all([open(), open(), open()].flatMap((budget) => Array.from({ length: 50 }, () => reserved(budget, 50))));
    expect(all.filter(Boolean)).toHaveLength(windowNanoUsd / 50);
  });

  it('a process that died and began anew finds its blocks taken', async () => {
    const { open } = givenLog();
    expect(await reserved(open(), 1_500)).toBe(true);
    const again = open();
    expect(await reserved(again, 501)).toBe(false);
    expect(await reserved(again, 500)).toBe(true);
    expect(await reserved(open(), 1)).toBe(false);
  });

  it('the next window has its own', async () => {
    const { clock, open } = givenLog();
    const budget = open();
    expect(await reserved(budget, 2_000)).toBe(true);
    expect(await reserved(budget, 1)).toBe(false);
    clock.advance(windowMs);
    expect(await reserved(budget, 2_000)).toBe(true);
  });

  it('clocks that differ by less than the margin lose nothing', async () => {
    for (const skewMs of [-29_000, 29_000]) {
      const { open } = givenLog();
      expect(await reserved(open({ skewMs }), 2_000)).toBe(true);
    }
  });

  it('a clock that is wrong by more gets nothing, though the log has forgotten that the block was taken', async () => {
    const { clock, bus, open } = givenLog();
    const [right, wrong] = [open(), open({ skewMs: -400_000 })];
    expect(await reserved(right, 2_000)).toBe(true);
    clock.advance(301_000);
    // 99 s before the window's begin, to its own mind; then in the midst of it.
    expect(await reserved(wrong, 100)).toBe(false);
    clock.advance(150_000);
    expect(await reserved(wrong, 100)).toBe(false);
    const taken = (await eventsOfType(bus, 'shadow.granted')).filter(({ data }) => data.windowStart === new Date(startMs).toISOString());
    // The log did store them a second time: it is the check that refuses them.
    expect(taken.length).toBeGreaterThan(20);
  });

  it("a lost acknowledgement: the block that the log holds is this process's", async () => {
    const { bus, open } = givenLog();
    const budget = open({ log: losesAcknowledgements(bus.log, (_, attempt) => attempt === 1) });
    expect(await reserved(budget, 2_000)).toBe(true);
    expect(await blocksOf(bus)).toHaveLength(20);
  });

  it('while the log is away there is no money: nothing is reserved, and nothing is broken', async () => {
    const { bus, open } = givenLog();
    let isAway = true;
    const log: EventLog = {
      ...bus.log,
      append: (events, options) => (isAway ? Promise.reject(away()) : bus.log.append(events, options)),
    };
    const budget = open({ log });
    expect((await budget.reserve(10)).kind).toBe('unavailable');
    isAway = false;
    expect((await budget.reserve(10)).kind).toBe('reserved');
  });
});

describe('any course of events', () => {
  it('over the log of a bus: no window costs more than its budget, with wrong clocks, deaths and calls in flight', async () => {
    const by = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('calls' as const),
          by,
          worst: fc.integer({ min: 0, max: 700 }),
          n: fc.integer({ min: 1, max: 4 }),
          part: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), by, skewMs: fc.integer({ min: -500_000, max: 500_000 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 200_000 }) }) },
    );
    let windows = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, open }: { clock: ManualClock; open: (options?: { skewMs: number }) => ShadowBudget } = givenLog();
        const processes = [open(), open(), open()];
        const spent = new Map<number, number>();
        for (const next of steps)
          switch (next.kind) {
            case 'calls': {
              const budget = processes[next.by]!;
              const replies = await Promise.all(Array.from({ length: next.n }, () => budget.reserve(next.worst)));
              for (const [i, reply] of replies.entries()) {
                if (reply.kind !== 'reserved') continue;
                const { reservation } = reply;
                // The last one never ends: its process may die first.
                const cost = i === next.n - 1 ? reservation.nanoUsd : Math.round(reservation.nanoUsd * next.part);
                if (i < next.n - 1) budget.settle(reservation, cost);
                spent.set(reservation.windowStartMs, (spent.get(reservation.windowStartMs) ?? 0) + cost);
              }
              break;
            }
            case 'crash':
              processes[next.by] = open({ skewMs: next.skewMs });
              break;
            case 'time':
              clock.advance(next.ms);
              break;
          }
        for (const nanoUsd of spent.values()) expect(nanoUsd).toBeLessThanOrEqual(windowNanoUsd);
        windows += spent.size;
      }),
      { numRuns: 60, seed: 11 },
    );
    expect(windows).toBeGreaterThan(60);
  });
});
