import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsFor, filedAtMs, filingOf, isFiledWhenever } from '../../../src/domain/routing/filing.ts';
import { tickOf } from '../../../src/domain/routing/time-blocks.ts';
import { decided, features, rewarded, rewardOf } from '../support/events.ts';
import { request } from '../support/routing.ts';

const old = { ...features, version: 1 } as typeof features;

describe('where evidence is filed', () => {
  it('is under the kinds that the request belongs to, all requests first', () => {
    const cells = cellsFor(request);
    expect(cells[0]).toBe('all');
    expect(cells).toContain('kind:short-question');
    expect(new Set(cells).size).toBe(cells.length);
    expect(cellsFor({ ...request, kind: 'translation', opening: 8 }).slice(1)).not.toEqual(cells.slice(1));
  });

  it('is under all requests alone where no kinds were told apart', () => {
    expect(cellsFor(old)).toEqual(['all']);
  });

  it('is at the moment of the decision, by the policy that decided', () => {
    const policy = { id: 'thompson', version: 'w', canary: true, trial: 4 };
    const decidedAt = '2026-03-01T00:00:00.000Z';
    expect(filingOf(decided('r', { policy, decidedAt, features: request }))).toEqual({ policy, decidedAt, cells: [...cellsFor(request)] });
    // Where the decision names no moment, the event has one.
    const event = decided('r', { policy, decidedAt: null, features: old });
    expect(filingOf(event)).toEqual({ policy, decidedAt: event.time, cells: ['all'] });
  });

  it('is never later than the log stored the reward', () => {
    const reward = (decidedAt: string) => rewarded('r', { ...rewardOf('quick', 1), decidedAt });
    const storedAtMs = Date.UTC(2026, 2, 1);
    expect(filedAtMs(reward('9999-12-31T23:59:59.999Z'), storedAtMs)).toBe(storedAtMs);
    expect(filedAtMs(reward('2026-02-28T23:59:59.999Z'), storedAtMs)).toBe(storedAtMs - 1);
    const undated = rewarded('r', { ...rewardOf('quick', 1), decidedAt: null });
    expect(filedAtMs({ ...undated, time: '2027-01-01T00:00:00.000Z' }, storedAtMs)).toBe(storedAtMs);
  });

  it('is known beforehand exactly where every later moment of storing gives the same tick', () => {
    const around = fc.integer({ min: -40_000, max: 40_000 }).map((ms) => Date.UTC(2026, 2, 1) + ms);
    fc.assert(
      fc.property(around, around, fc.nat(60_000), (decidedAtMs, reachedMs, laterMs) => {
        const event = rewarded('r', { ...rewardOf('quick', 1), decidedAt: new Date(decidedAtMs).toISOString() });
        const tickIf = (storedAtMs: number) => tickOf(filedAtMs(event, storedAtMs));
        if (isFiledWhenever(event, reachedMs)) expect(tickIf(reachedMs + laterMs)).toBe(tickOf(decidedAtMs));
        else expect(tickIf(reachedMs)).not.toBe(tickIf(reachedMs + 100_000));
      }),
      { seed: 8 },
    );
    expect(isFiledWhenever(decided('r'), -Infinity)).toBe(true);
    expect(isFiledWhenever(rewarded('r', rewardOf('quick', 1)), -Infinity)).toBe(false);
  });
});
