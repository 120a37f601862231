import { describe, expect, it } from 'vitest';
import { createAppender } from '../../src/actors/appender.ts';
import { createDelivery } from '../../src/actors/delivery.ts';
import { createLogClock } from '../../src/actors/log-clock.ts';
import { withPatience } from '../../src/actors/patience.ts';
import type { EventLog } from '../../src/bus/event-log.ts';
import { PermanentError, TransientError } from '../../src/errors.ts';
import { sampleBatch } from '../support/sample-events.ts';
import { createTestBus, nextTurn, silent } from './support/actors.ts';
import { away, losesAcknowledgements } from './support/faults.ts';

const given = async (around: (log: EventLog) => EventLog = (log) => log) => {
  const { log } = createTestBus();
  const faulty = around(log);
  const delivery = await createDelivery({ log: faulty, logger: silent, intervalMs: 60_000, onLost: () => undefined });
  const seen: number[] = [];
  delivery.subscribe((entry) => seen.push(entry.sequence));
  const clock = createLogClock({ hostMs: Date.now, logger: silent, onSetBack: () => undefined });
  const append = createAppender({ log: faulty, delivery, clock, logger: silent });
  return { log, seen, append, inTimeMs: () => Date.now() + 5_000 };
};

describe('an append', () => {
  it('is handed to the actors once whoever waited for it has gone on, in the order of the acknowledgements', async () => {
    const { append, seen, inTimeMs } = await given();
    expect(await append(sampleBatch(1), { idempotencyId: 'a', untilMs: inTimeMs() })).toEqual({ kind: 'appended', sequence: 1 });
    await append(sampleBatch(2), { idempotencyId: 'b', untilMs: inTimeMs() });
    expect(seen).toEqual([]);
    await nextTurn();
    expect(seen).toEqual([1, 2]);
  });

  it('whose acknowledgement got lost counts as appended, is in the log once and delivered once', async () => {
    const { append, seen, log, inTimeMs } = await given((it) => losesAcknowledgements(it, (_, attempt) => attempt <= 2));
    expect(await append(sampleBatch(1), { idempotencyId: 'a', untilMs: inTimeMs() })).toEqual({ kind: 'appended', sequence: 1 });
    expect(seen).toEqual([1]);
    expect((await log.bounds()).last).toBe(1);
  });

  it('that meets the events of somebody else is a duplicate, with their sequence', async () => {
    const { append, log, seen, inTimeMs } = await given();
    await log.append(sampleBatch(1), { idempotencyId: 'a' });
    expect(await append(sampleBatch(2), { idempotencyId: 'a', untilMs: inTimeMs() })).toEqual({ kind: 'duplicate', sequence: 1 });
    expect(seen).toEqual([]);
  });

  it('that meets a message which cannot be read any more is a duplicate', async () => {
    const { append, inTimeMs } = await given((log) => ({ ...log, append: async () => ({ kind: 'duplicate', sequence: 9 as never }) }));
    expect(await append(sampleBatch(1), { idempotencyId: 'a', untilMs: inTimeMs() })).toEqual({ kind: 'duplicate', sequence: 9 });
  });

  it('that can never succeed fails at once', async () => {
    let attempts = 0;
    const { append, inTimeMs } = await given((log) => ({
      ...log,
      append: async () => {
        attempts++;
        throw new PermanentError('too-large', 'too large');
      },
    }));
    await expect(append(sampleBatch(1), { idempotencyId: 'a', untilMs: inTimeMs() })).rejects.toThrow(PermanentError);
    expect(attempts).toBe(1);
  });
});

describe('patience', () => {
  const failing = (error: Error) => {
    const attemptsMs: number[] = [];
    return {
      attemptsMs,
      task: async () => {
        attemptsMs.push(Date.now());
        throw error;
      },
    };
  };

  it('tries what is transient again until the moment has come, and then says why', async () => {
    const { attemptsMs, task } = failing(away());
    const untilMs = Date.now() + 400;
    await expect(withPatience(task, { untilMs })).rejects.toMatchObject({ code: 'bus-away' });
    expect(attemptsMs.length).toBeGreaterThan(1);
    expect(attemptsMs.length).toBeLessThan(20);
  });

  it('tries at least once, also when the moment has passed', async () => {
    const { attemptsMs, task } = failing(away());
    await expect(withPatience(task, { untilMs: 0 })).rejects.toThrow(TransientError);
    expect(attemptsMs).toHaveLength(1);
  });

  it('waits for as long as the error asks', async () => {
    const { attemptsMs, task } = failing(new TransientError('store-full', 'full', 200));
    await expect(withPatience(task, { untilMs: Date.now() + 500 })).rejects.toThrow(TransientError);
    for (const [i, atMs] of attemptsMs.slice(1).entries()) expect(atMs - (attemptsMs[i] ?? 0)).toBeGreaterThanOrEqual(99);
  });

  it('ends when it is told to', async () => {
    const { attemptsMs, task } = failing(new TransientError('store-full', 'full', 10_000));
    const leaving = new AbortController();
    const begunMs = Date.now();
    const ended = expect(withPatience(task, { untilMs: begunMs + 60_000, signal: leaving.signal })).rejects.toThrow(TransientError);
    leaving.abort();
    await ended;
    expect(Date.now() - begunMs).toBeLessThan(2_000);
    expect(attemptsMs.length).toBeLessThanOrEqual(2);
  });
});
