import { describe, expect, it } from 'vitest';
import type { EventLog } from '../../src/bus/event-log.ts';
import { drain } from '../../src/demo/drain.ts';
import { sequence } from '../../src/events/index.ts';

/** A log that is only asked for its end. */
const logEndingAt = (last: () => number): EventLog =>
  ({ bounds: async () => ({ first: sequence(1), last: sequence(last()), createdAt: '' }) }) as unknown as EventLog;
const never = new AbortController().signal;

describe('draining', () => {
  it('waits until the log is quiet, ClickHouse has its end, and nothing is owed', async () => {
    let last = 10;
    let projected = 0;
    let looks = 0;
    const behind: number[] = [];
    const drained = await drain({
      log: logEndingAt(() => last),
      projectedSequence: async () => {
        if (++looks === 3) last = 12;
        projected = Math.min(last, projected + 3);
        return projected;
      },
      isSettled: async () => looks > 8,
      signal: never,
      onLook: (messages) => behind.push(messages),
      quietMs: 50,
    });
    expect(drained.lastSequence).toBe(12);
    expect(looks).toBeGreaterThan(8);
    expect(behind.slice(0, 3)).toEqual([7, 4, 1]);
    expect(behind.at(-1)).toBe(0);
  });

  it('gives up when nothing moves any more, and says where it stands', async () => {
    const stuck = drain({ log: logEndingAt(() => 7), projectedSequence: async () => 5, signal: never, quietMs: 10, patienceMs: 150 });
    await expect(stuck).rejects.toMatchObject({
      code: 'not-drained',
      message: expect.stringContaining('sequence 7 of the log, but it has stood at 5') as string,
    });
  });

  it('says when a judgement never became a reward', async () => {
    const stuck = drain({
      log: logEndingAt(() => 7),
      projectedSequence: async () => 7,
      isSettled: async () => false,
      signal: never,
      quietMs: 10,
      patienceMs: 150,
    });
    await expect(stuck).rejects.toThrow(/every judgement to become a reward/);
  });
});
