import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { EventLog, LogEntry } from '../../src/bus/event-log.ts';
import { PermanentError } from '../../src/errors.ts';
import { encodeEvents, sequence } from '../../src/events/index.ts';
import { eventually } from '../support/eventually.ts';
import { sampleBatch } from '../support/sample-events.ts';

/** What every event log has to do, see src/bus/event-log.ts. `fresh` gives an empty log; `inject` puts bytes into it behind its back. */
export type LogUnderTest = {
  readonly log: EventLog;
  readonly inject: (subject: string, body: Uint8Array) => Promise<number>;
};

export const describeEventLog = (name: string, fresh: () => Promise<LogUnderTest>, close: () => Promise<void>): void => {
  describe(`event log: ${name}`, () => {
    let log: EventLog;
    let inject: LogUnderTest['inject'];
    beforeEach(async () => {
      ({ log, inject } = await fresh());
    });
    afterAll(close);

    const fill = async (count: number) => {
      for (let n = 1; n <= count; n++) await log.append(sampleBatch(n), { idempotencyId: `id-${n}` });
    };
    const collect = async (entries: AsyncIterable<LogEntry>) => {
      const all: LogEntry[] = [];
      for await (const entry of entries) all.push(entry);
      return all;
    };
    const sequences = (entries: readonly LogEntry[]) => entries.map((entry) => entry.sequence);

    test('an empty log begins at 1 and ends at 0, and reading it ends', async () => {
      expect(await log.bounds()).toMatchObject({ first: 1, last: 0 });
      expect(await collect(log.read({ from: sequence(1) }))).toEqual([]);
      expect(await log.at(sequence(1))).toBeNull();
    });

    test('appends take the sequences from 1 on', async () => {
      expect(await log.append(sampleBatch(1), { idempotencyId: 'a' })).toEqual({ kind: 'appended', sequence: 1 });
      expect(await log.append(sampleBatch(2), { idempotencyId: 'b' })).toEqual({ kind: 'appended', sequence: 2 });
      expect(await log.bounds()).toMatchObject({ first: 1, last: 2 });
    });

    test('the same id is stored once, and answers the first sequence whatever it carries', async () => {
      await log.append(sampleBatch(1), { idempotencyId: 'other' });
      await log.append(sampleBatch(2), { idempotencyId: 'same' });
      await log.append(sampleBatch(3), { idempotencyId: 'another' });
      expect(await log.append(sampleBatch(4), { idempotencyId: 'same' })).toEqual({ kind: 'duplicate', sequence: 2 });
      expect(await log.bounds()).toMatchObject({ last: 3 });
      expect(await log.at(sequence(2))).toMatchObject({ kind: 'events', events: sampleBatch(2) });
    });

    test('an expectation that is met appends; one that is not is a conflict and stores nothing', async () => {
      await fill(2);
      expect(await log.append(sampleBatch(3), { idempotencyId: 'late', expectedLastSequence: sequence(1) })).toEqual({ kind: 'conflict' });
      expect(await log.append(sampleBatch(3), { idempotencyId: 'early', expectedLastSequence: sequence(7) })).toEqual({ kind: 'conflict' });
      expect(await log.bounds()).toMatchObject({ last: 2 });
      expect(await log.append(sampleBatch(3), { idempotencyId: 'right', expectedLastSequence: sequence(2) })).toEqual({
        kind: 'appended',
        sequence: 3,
      });
    });

    test('a retry of an append with an expectation is a duplicate, also after others', async () => {
      await fill(1);
      const expectation = { idempotencyId: 'mine', expectedLastSequence: sequence(1) };
      await log.append(sampleBatch(2), expectation);
      expect(await log.append(sampleBatch(2), expectation)).toEqual({ kind: 'duplicate', sequence: 2 });
      await log.append(sampleBatch(3), { idempotencyId: 'theirs' });
      expect(await log.append(sampleBatch(2), expectation)).toEqual({ kind: 'duplicate', sequence: 2 });
    });

    test('of many appends with one expectation one wins', async () => {
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          log.append(sampleBatch(n), { idempotencyId: `racer-${n}`, expectedLastSequence: sequence(0) }),
        ),
      );
      expect(all.filter(({ kind }) => kind === 'appended')).toHaveLength(1);
      expect(all.filter(({ kind }) => kind === 'conflict')).toHaveLength(19);
      expect(await log.bounds()).toMatchObject({ last: 1 });
    });

    test('the events of one append are one entry, whole and unchanged', async () => {
      await log.append(sampleBatch(1), { idempotencyId: 'batch' });
      const [single] = sampleBatch(2);
      await log.append([single], { idempotencyId: 'single' });
      const entries = await collect(log.read({ from: sequence(1) }));
      expect(entries).toMatchObject([
        { kind: 'events', sequence: 1, events: sampleBatch(1) },
        { kind: 'events', sequence: 2, events: [single] },
      ]);
      for (const { storedAtMs } of entries) expect(Math.abs(Date.now() - storedAtMs)).toBeLessThan(60_000);
      expect(await log.at(sequence(2))).toEqual(entries[1]);
    });

    test('read gives exactly the range, clipped to what there is', async () => {
      await fill(5);
      expect(sequences(await collect(log.read({ from: sequence(2), to: sequence(4) })))).toEqual([2, 3, 4]);
      expect(sequences(await collect(log.read({ from: sequence(4) })))).toEqual([4, 5]);
      expect(sequences(await collect(log.read({ from: sequence(3), to: sequence(100) })))).toEqual([3, 4, 5]);
      expect(sequences(await collect(log.read({ from: sequence(0), to: sequence(2) })))).toEqual([1, 2]);
      expect(await collect(log.read({ from: sequence(6) }))).toEqual([]);
      expect(await collect(log.read({ from: sequence(4), to: sequence(3) }))).toEqual([]);
    });

    test('read stops where its signal aborts', async () => {
      await fill(5);
      const stopping = new AbortController();
      const seen: number[] = [];
      for await (const entry of log.read({ from: sequence(1), signal: stopping.signal })) {
        seen.push(entry.sequence);
        if (entry.sequence === 2) stopping.abort();
      }
      expect(seen).toEqual([1, 2]);
    });

    test('poison in the middle is handed over with its body, and what follows is read', async () => {
      await fill(1);
      const garbage = new Uint8Array([0xff, 0xfe, 0x00, 0x7b]);
      expect(await inject('switchyard.event.acme.cache.hit', garbage)).toBe(2);
      const [event] = sampleBatch(9);
      const unknown = encodeEvents([{ ...event, type: 'never.heard' } as unknown as typeof event]).body;
      await inject('switchyard.event.acme.never.heard', unknown);
      const invalid = encodeEvents([{ ...event, data: { ...event.data, arm: 7 } } as unknown as typeof event]).body;
      await inject('switchyard.event.acme.response.completed', invalid);
      await inject('switchyard.event.acme.empty', new Uint8Array());
      await log.append(sampleBatch(2), { idempotencyId: 'after' });

      const entries = await collect(log.read({ from: sequence(1) }));
      expect(entries.map(({ kind }) => kind)).toEqual(['events', 'poison', 'poison', 'poison', 'poison', 'events']);
      expect(entries[1]).toMatchObject({ sequence: 2, reason: 'not-json', subject: 'switchyard.event.acme.cache.hit' });
      expect(entries[1]?.kind === 'poison' && [...entries[1].body]).toEqual([...garbage]);
      expect(entries[2]).toMatchObject({ reason: 'unknown-type' });
      expect(entries[3]).toMatchObject({ reason: 'invalid-event' });
      expect(await log.at(sequence(2))).toMatchObject({ kind: 'poison', reason: 'not-json' });

      const cheaply = await collect(log.read({ from: sequence(1), checks: 'envelope' }));
      expect(cheaply.map(({ kind }) => kind)).toEqual(['events', 'poison', 'poison', 'events', 'poison', 'events']);
      expect(cheaply[0]).toEqual(entries[0]);
    });

    test.for([{}, { gatherMs: 30 }])('follow gives what is there and what comes, in order, until the signal aborts %j', async (how) => {
      await fill(3);
      const stopping = new AbortController();
      const seen: number[] = [];
      const following = (async () => {
        for await (const entry of log.follow({ from: sequence(2), signal: stopping.signal, ...how })) seen.push(entry.sequence);
      })();
      await eventually(() => seen.length === 2);
      for (let n = 4; n <= 50; n++) await log.append(sampleBatch(n), { idempotencyId: `id-${n}` });
      await eventually(() => seen.length === 49);
      expect(seen).toEqual(Array.from({ length: 49 }, (_, i) => i + 2));
      stopping.abort();
      await following;
    });

    test('follow from a sequence that is not there yet waits for it', async () => {
      const stopping = new AbortController();
      const following = log.follow({ from: sequence(3), signal: stopping.signal })[Symbol.asyncIterator]();
      const first = following.next();
      await fill(3);
      expect((await first).value).toMatchObject({ sequence: 3 });
      stopping.abort();
      expect(await following.next()).toMatchObject({ done: true });
    });

    test('a reader that stops early leaves nothing behind that disturbs the next', async () => {
      await fill(5);
      for await (const entry of log.read({ from: sequence(1) })) if (entry.sequence === 2) break;
      expect(sequences(await collect(log.read({ from: sequence(1) })))).toEqual([1, 2, 3, 4, 5]);
    });

    test('many appends at once: every one acknowledged with its own sequence, all read back', async () => {
      const count = 500;
      const appended = await Promise.all(
        Array.from({ length: count }, (_, n) => log.append(sampleBatch(n), { idempotencyId: `many-${n}` })),
      );
      const taken = appended.map((answer) => (answer.kind === 'appended' ? answer.sequence : 0)).sort((a, b) => a - b);
      expect(taken).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      const entries = await collect(log.read({ from: sequence(1) }));
      expect(sequences(entries)).toEqual(taken);
      const requests = new Set(entries.flatMap((entry) => (entry.kind === 'events' ? [entry.events[0].correlationid] : [])));
      expect(requests.size).toBe(count);
    });

    test('a large append is read back unchanged; one that is too large is refused and stores nothing', async () => {
      const large = sampleBatch(1, 'x'.repeat(2_000_000));
      await inject('switchyard.event.acme.large', encodeEvents(large).body);
      const entry = (await collect(log.read({ from: sequence(1), checks: 'envelope' })))[0];
      expect(entry?.kind === 'events' && entry.events[0].source.length).toBe(large[0].source.length);

      const refused = log.append(sampleBatch(2, 'x'.repeat(9_000_000)), { idempotencyId: 'huge' });
      await expect(refused).rejects.toBeInstanceOf(PermanentError);
      await expect(refused).rejects.toMatchObject({ code: 'too-large' });
      expect(await log.bounds()).toMatchObject({ last: 1 });
    });

    test('sequenceAt finds the first message at or after a time', async () => {
      await fill(1);
      const before = (await log.at(sequence(1)))?.storedAtMs ?? 0;
      await eventually(() => Date.now() > before + 5);
      await log.append(sampleBatch(2), { idempotencyId: 'later' });
      const after = (await log.at(sequence(2)))?.storedAtMs ?? 0;
      expect(await log.sequenceAt(0)).toBe(1);
      expect(await log.sequenceAt(before + 1)).toBe(2);
      expect(await log.sequenceAt(after + 60_000)).toBeNull();
    });

    test('bounds name the log: the name stays while the log grows', async () => {
      const { createdAt } = await log.bounds();
      await fill(2);
      expect(await log.bounds()).toEqual({ first: 1, last: 2, createdAt });
      expect(createdAt).not.toBe('');
    });
  });
};
