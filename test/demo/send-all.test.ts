import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { atOnce, steadyArrivals } from '../../src/demo/arrivals.ts';
import { sendAll } from '../../src/demo/send-all.ts';
import { untilItStands } from '../../src/demo/sender.ts';

describe('sending', () => {
  it('sends each request once, in order, never more than the bound at a time', async () => {
    const sent: number[] = [];
    let underWay = 0;
    let most = 0;
    const done = await sendAll({
      count: 100,
      arrivals: atOnce,
      concurrency: 7,
      send: async (index) => {
        sent.push(index);
        most = Math.max(most, ++underWay);
        await sleep(index % 3);
        underWay--;
      },
    });
    expect(sent).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(most).toBe(7);
    expect(done).toMatchObject({ sent: 100, latestMs: 0 });
  });

  it('waits until a request is due', async () => {
    const beganMs = performance.now();
    const atMs: number[] = [];
    await sendAll({
      count: 5,
      arrivals: steadyArrivals(50),
      concurrency: 5,
      send: async () => {
        atMs.push(performance.now() - beganMs);
      },
    });
    // Timers fire up to a millisecond early.
    atMs.forEach((ms, index) => {
      expect(ms).toBeGreaterThanOrEqual(index * 20 - 2);
    });
  });

  it('tells how late it was when all were busy', async () => {
    const done = await sendAll({ count: 3, arrivals: steadyArrivals(1_000), concurrency: 1, send: () => sleep(30) });
    expect(done.latestMs).toBeGreaterThan(50);
  });

  it('stops at the signal and counts what was sent', async () => {
    const stop = new AbortController();
    const done = await sendAll({
      count: 1_000,
      arrivals: steadyArrivals(100),
      concurrency: 4,
      signal: stop.signal,
      send: async (index) => {
        if (index === 2) stop.abort();
      },
    });
    expect(done.sent).toBe(3);
  });

  it('does not wait at the signal for what is under way', async () => {
    const stop = new AbortController();
    const answer = Promise.withResolvers<undefined>();
    const sending = sendAll({ count: 2, arrivals: atOnce, concurrency: 2, signal: stop.signal, send: () => answer.promise });
    stop.abort();
    expect(await sending).toMatchObject({ sent: 2 });
    answer.resolve(undefined);
  });

  it('ends with the error of a sender that throws', async () => {
    const sending = sendAll({
      count: 10,
      arrivals: atOnce,
      concurrency: 2,
      send: async (index) => {
        if (index === 3) throw new Error('the fourth');
      },
    });
    await expect(sending).rejects.toThrow('the fourth');
  });
});

describe('a request', () => {
  const again = { kind: 'again', afterMs: 60_000, code: 'overloaded', message: 'later' } as const;

  it('is tried again until it stands, with bounded pauses', async () => {
    const replies = [again, again, { kind: 'answered', fromCache: false } as const];
    const pauses: number[] = [];
    const answer = await untilItStands(
      async () => replies.shift() ?? again,
      async (ms) => pauses.push(ms),
    );
    expect(answer).toEqual({ kind: 'answered', fromCache: false, attempts: 3 });
    expect(pauses).toEqual([2_000, 2_000]);
  });

  it('is given up after six attempts', async () => {
    const answer = await untilItStands(
      async () => again,
      async () => undefined,
    );
    expect(answer).toEqual({ kind: 'failed', code: 'overloaded', message: 'later', attempts: 6 });
  });
});
