import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogEntry } from '../../src/bus/event-log.ts';
import { supervise } from '../../src/actors/supervisor.ts';
import { TransientError } from '../../src/errors.ts';
import { sequence } from '../../src/events/index.ts';
import { silent } from './support/actors.ts';
import { counting, entryOf, upTo, type Counting } from './support/counting.ts';

/** Time is moved by hand: pauses between lives are part of what is promised. */
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const given = (changes: Partial<Counting> = {}) => {
  const listeners = new Set<(entry: LogEntry) => void>();
  let position = 0;
  const supervised = supervise(counting(changes), {
    delivery: {
      position: () => sequence(position),
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    logger: silent,
  });
  return {
    supervised,
    listeners,
    deliver: (n: number) => {
      position = n;
      for (const listener of listeners) listener(entryOf(n));
    },
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
};

const lives = async (changes?: Partial<Counting>) => {
  const actor = given(changes);
  await actor.pass(0);
  expect(actor.supervised.phase()).toBe('live');
  return actor;
};

describe('a living actor', () => {
  it('answers from what was delivered', async () => {
    const { supervised, deliver } = await lives();
    deliver(1);
    deliver(2);
    expect(supervised.ask('report')).toEqual([1, 2]);
    expect(supervised.restarts()).toBe(0);
  });

  it('that does not follow the log is not handed any entry', async () => {
    const { supervised, listeners, deliver } = await lives({ follows: false });
    expect(listeners.size).toBe(0);
    deliver(1);
    expect(supervised.ask('report')).toEqual([]);
  });
});

describe('a death', () => {
  it('of a command: the asker has a TransientError with the cause, others too until the next one lives, which is rebuilt as far as the log', async () => {
    const { supervised, deliver, listeners, pass } = await lives();
    deliver(1);
    expect(() => supervised.ask('throw')).toThrow(
      expect.objectContaining({ name: 'TransientError', code: 'actor-crashed', cause: new TypeError('told to') }),
    );
    expect(supervised.phase()).toBe('dead');
    expect(() => supervised.ask('report')).toThrow(expect.objectContaining({ name: 'TransientError', code: 'actor-not-live' }));
    deliver(2);
    await pass(100);
    expect(supervised.ask('report')).toEqual([1, 2]);
    expect(supervised.restarts()).toBe(1);
    expect(listeners.size).toBe(1);
  });

  it('of a gap: another is rebuilt from the log', async () => {
    const { supervised, deliver, pass } = await lives();
    deliver(5);
    expect(supervised.phase()).toBe('dead');
    await pass(100);
    expect(supervised.ask('report')).toEqual(upTo(5));
  });

  it('of a fold: what it was subscribed to does not throw, and the others hear the same entry', async () => {
    const { supervised, deliver, listeners } = await lives({
      evolve: () => {
        throw new TypeError('cannot fold');
      },
    });
    const heard: number[] = [];
    listeners.add((entry) => heard.push(entry.sequence));
    deliver(1);
    expect(heard).toEqual([1]);
    expect(supervised.phase()).toBe('dead');
  });

  it('is followed by a pause that doubles up to ten seconds, and an actor that cannot be rebuilt is tried again for ever', async () => {
    const begunMs = Date.now();
    const attemptsMs: number[] = [];
    const { supervised, pass, listeners } = given({
      rebuild: async () => {
        attemptsMs.push(Date.now() - begunMs);
        throw new TransientError('bus-away', 'the log is away', 1);
      },
    });
    await pass(60_000);
    const pausesMs = attemptsMs.slice(1).map((atMs, i) => atMs - (attemptsMs[i] ?? 0));
    expect(pausesMs.slice(0, 9)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    expect(supervised.restarts()).toBe(attemptsMs.length);
    await pass(3_600_000);
    expect(attemptsMs.length).toBeGreaterThan(350);
    expect(listeners.size).toBeLessThanOrEqual(1);
  });

  it('after a long life is not one in a row: the pause is short again', async () => {
    const { supervised, pass } = await lives();
    const die = () => {
      expect(() => supervised.ask('throw')).toThrow(TransientError);
    };
    for (const pauseMs of [100, 200, 400]) {
      die();
      await pass(pauseMs - 1);
      expect(supervised.phase()).toBe('dead');
      await pass(1);
      expect(supervised.phase()).toBe('live');
    }
    await pass(30_001);
    die();
    await pass(100);
    expect(supervised.phase()).toBe('live');
  });

  it('a hundred times, leaves one subscription and no timer behind', async () => {
    const { supervised, listeners, pass } = await lives();
    for (let death = 0; death < 100; death++) {
      expect(() => supervised.ask('throw')).toThrow(TransientError);
      await pass(10_000);
    }
    expect(supervised.restarts()).toBe(100);
    expect(listeners.size).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the connection and the end', () => {
  it('given a connection lost, then it is degraded until it is restored', async () => {
    const { supervised } = await lives();
    supervised.connection('lost');
    expect(supervised.phase()).toBe('degraded');
    expect(supervised.ask('report')).toEqual([]);
    supervised.connection('restored');
    expect(supervised.phase()).toBe('live');
  });

  it.each([
    ['a lost connection', 'degraded'],
    ['draining', 'draining'],
  ] as const)('given %s while the actor was dead, then the next one knows of it', async (what, phase) => {
    const { supervised, pass } = await lives();
    expect(() => supervised.ask('throw')).toThrow(TransientError);
    if (what === 'draining') supervised.drain();
    else supervised.connection('lost');
    await pass(100);
    expect(supervised.phase()).toBe(phase);
  });

  it('given a stop, then nothing is answered, subscribed or started any more', async () => {
    const { supervised, listeners, pass } = await lives();
    supervised.stop();
    expect(supervised.phase()).toBe('stopped');
    expect(() => supervised.ask('report')).toThrow(TransientError);
    expect(listeners.size).toBe(0);
    supervised.connection('lost');
    supervised.drain();
    await pass(60_000);
    expect(supervised.phase()).toBe('stopped');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('given a stop between two lives, then the next does not begin', async () => {
    const { supervised, pass, listeners } = await lives();
    expect(() => supervised.ask('throw')).toThrow(TransientError);
    supervised.stop();
    await pass(60_000);
    expect(supervised.phase()).toBe('stopped');
    expect(listeners.size).toBe(0);
  });
});

describe('waiting for life', () => {
  it('resolves when it is live, also at a second attempt', async () => {
    let attempts = 0;
    const { supervised, pass } = given({
      rebuild: async ({ atLeast }) => {
        if (++attempts === 1) throw new TransientError('bus-away', 'the log is away', 1);
        return { state: [], sequence: atLeast };
      },
    });
    const live = supervised.live(1_000);
    await pass(100);
    await expect(live).resolves.toBeUndefined();
    await expect(supervised.live(1_000)).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['time', 'stop'] as const)('rejects at the end of the %s', async (end) => {
    const { supervised, pass } = given({ rebuild: () => new Promise(() => undefined) });
    const live = expect(supervised.live(1_000)).rejects.toMatchObject({ code: 'actor-not-live' });
    if (end === 'stop') supervised.stop();
    else await pass(1_000);
    await live;
    supervised.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
