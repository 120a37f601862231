import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import type { TakenItem } from '../../src/bus/work-queue.ts';
import { eventually } from '../support/eventually.ts';

/**
 * What every work queue has to do, see src/bus/work-queue.ts. The bus under test delivers three times. It waits a minute for an acknowledgement, so that what comes again comes because it was given
 * back; what is about that wait has a shorter one.
 */
const longWaitSeconds = 60;
const shortWaitSeconds = 2;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

export const describeWorkQueue = (name: string, fresh: (ackWaitSeconds: number) => Promise<Bus>, close: () => Promise<void>): void => {
  describe(`work queue: ${name}`, () => {
    let bus: Bus;
    let takers: AbortController[];
    beforeEach(async () => {
      bus = await fresh(longWaitSeconds);
      takers = [];
      return () => {
        for (const taker of takers) taker.abort();
      };
    });
    afterAll(close);

    const put = (n: number) =>
      bus.requests.put({
        subject: 'switchyard.work.acme',
        id: `item-${n}`,
        headers: { 'Switchyard-Reply': `to.${n}` },
        body: bytes(`body ${n}`),
      });

    /** Takes into a list, and does with each item what it is told. */
    const takeAll = (concurrency: number, onItem: (item: TakenItem) => void = () => undefined) => {
      const stopping = new AbortController();
      takers.push(stopping);
      const items: TakenItem[] = [];
      const ended = (async () => {
        for await (const item of bus.requests.take({ concurrency, signal: stopping.signal })) {
          items.push(item);
          onItem(item);
        }
      })();
      return { items, stop: () => (stopping.abort(), ended) };
    };

    test('an item arrives as it was put, and is gone when it is done', async () => {
      expect(await put(1)).toEqual({ sequence: 1, duplicate: false });
      const taker = takeAll(4);
      const [item] = await eventually(() => taker.items.length > 0 && taker.items);
      expect(item).toMatchObject({
        subject: 'switchyard.work.acme',
        headers: { 'Switchyard-Reply': 'to.1' },
        delivery: 1,
        maxDeliveries: 3,
        sequence: 1,
      });
      expect(text(item!.body)).toBe('body 1');
      await item!.done();
      await taker.stop();
      const second = takeAll(4);
      await put(2);
      await eventually(() => second.items.length > 0);
      expect(second.items.map(({ sequence }) => sequence)).toEqual([2]);
    });

    test('the same id is stored once, also after it was done', async () => {
      await put(1);
      expect(await put(1)).toEqual({ sequence: 1, duplicate: true });
      const done: Promise<void>[] = [];
      const taker = takeAll(4, (item) => done.push(item.done()));
      await eventually(() => done.length === 1);
      await Promise.all(done);
      expect(await put(1)).toEqual({ sequence: 1, duplicate: true });
      await put(2);
      await eventually(() => taker.items.length === 2);
      expect(taker.items.map(({ sequence }) => sequence)).toEqual([1, 2]);
    });

    test('never more than the concurrency are under way, and all get their turn in order', async () => {
      for (let n = 1; n <= 10; n++) await put(n);
      const taker = takeAll(2);
      await eventually(() => taker.items.length === 2);
      expect(taker.items).toHaveLength(2);
      for (let n = 0; n < 10; n++) {
        const item = await eventually(() => taker.items[n]);
        expect(taker.items.length - n).toBeLessThanOrEqual(2);
        await item.done();
      }
      expect(taker.items.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    test('two takers share the items, each once', async () => {
      const done: Promise<void>[] = [];
      const finish = (item: TakenItem) => done.push(item.done());
      const [a, b] = [takeAll(4, finish), takeAll(4, finish)];
      await Promise.all(Array.from({ length: 100 }, (_, n) => put(n)));
      await eventually(() => done.length === 100);
      await Promise.all(done);
      const all = [...a.items, ...b.items];
      expect(new Set(all.map(({ sequence }) => sequence)).size).toBe(100);
      expect(all).toHaveLength(100);
    });

    test('an item whose taker falls silent goes to another one', async () => {
      bus = await fresh(shortWaitSeconds);
      await put(1);
      const silent = takeAll(1);
      await eventually(() => silent.items.length === 1);
      await silent.stop();
      const other = takeAll(1);
      const item = await eventually(() => other.items[0]);
      expect(item).toMatchObject({ sequence: 1, delivery: 2 });
      await item.done();
    });

    test('one who says that it is working keeps its item', async () => {
      bus = await fresh(shortWaitSeconds);
      await put(1);
      const slow = takeAll(1);
      const item = await eventually(() => slow.items[0]);
      const other = takeAll(1);
      const begunMs = Date.now();
      await eventually(() => {
        item.working();
        return Date.now() - begunMs > 2_500 * shortWaitSeconds;
      });
      await item.done();
      await put(2);
      const next = await eventually(() => other.items[0] ?? slow.items[1]);
      expect(next.sequence).toBe(2);
    });

    test('an item that is given back comes again, not before its time', async () => {
      await put(1);
      const given: number[] = [];
      const taker = takeAll(1, (item) => {
        given.push(Date.now());
        if (item.delivery === 1) item.again(300);
      });
      await eventually(() => taker.items.length === 2);
      expect(taker.items[1]).toMatchObject({ sequence: 1, delivery: 2 });
      expect(given[1]! - given[0]!).toBeGreaterThanOrEqual(250);
      await taker.items[1]!.done();
    });

    test('an item that nobody ever acknowledges becomes a dead letter with its body and leaves the queue', async () => {
      await put(1);
      const taker = takeAll(2, (item) => {
        item.again(0);
      });
      const letters = await eventually(async () => {
        const list = await bus.dead.list({ limit: 10 });
        return list.length > 0 && list;
      });
      expect(taker.items.map(({ delivery }) => delivery)).toEqual([1, 2, 3]);
      expect(letters).toMatchObject([{ reason: 'undelivered', origin: 'switchyard.work.acme', originSequence: 1 }]);
      expect(text(letters[0]!.body)).toBe('body 1');
      await put(2);
      await eventually(() => taker.items.at(-1)?.sequence === 2);
    });

    test('one whose takers die each time ends among the dead letters too', async () => {
      bus = await fresh(shortWaitSeconds);
      await put(1);
      for (let delivery = 1; delivery <= 3; delivery++) {
        const dying = takeAll(1);
        const item = await eventually(() => dying.items[0]);
        expect(item.delivery).toBe(delivery);
        await dying.stop();
      }
      takeAll(1);
      const letters = await eventually(async () => {
        const list = await bus.dead.list({ limit: 10 });
        return list.length > 0 && list;
      });
      expect(letters).toMatchObject([{ reason: 'undelivered', originSequence: 1 }]);
    });

    test('what a taker had not handed out yet when it ends goes to another one at once', async () => {
      for (let n = 1; n <= 6; n++) await put(n);
      for await (const item of bus.requests.take({ concurrency: 6, signal: new AbortController().signal })) {
        await item.done();
        break;
      }
      const other = takeAll(6);
      // Well before the wait for an acknowledgement is over.
      await eventually(() => other.items.length === 5, { withinMs: 500 * longWaitSeconds });
      expect(other.items.map(({ sequence }) => sequence).sort()).toEqual([2, 3, 4, 5, 6]);
    });

    test('abort ends the taking, and what was under way can still be settled', async () => {
      await put(1);
      const taker = takeAll(1);
      const item = await eventually(() => taker.items[0]);
      await taker.stop();
      await item.done();
      const other = takeAll(1);
      await put(2);
      await eventually(() => other.items.length === 1);
      expect(other.items[0]!.sequence).toBe(2);
    });
  });
};
