import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { Bus } from '../../src/bus/bus.ts';
import { requestIdSchema, tenantSchema } from '../../src/events/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | null) => (body === null ? null : new TextDecoder().decode(body));

/** What every store of answers and every drawer of dead letters has to do, see src/bus/answer-store.ts and dead-letters.ts. */
export const describeStores = (name: string, fresh: () => Promise<Bus>, close: () => Promise<void>): void => {
  describe(`answers and dead letters: ${name}`, () => {
    let bus: Bus;
    beforeEach(async () => {
      bus = await fresh();
    });
    afterAll(close);

    const [acme, globex] = [tenantSchema.parse('acme'), tenantSchema.parse('globex')];
    const id = requestIdSchema.parse('a.b:c/1');

    test('an answer is kept for its tenant and request, the first one only', async () => {
      expect(await bus.answers.get(acme, id)).toBeNull();
      expect(await bus.answers.put(acme, id, bytes('first'))).toBe(true);
      expect(await bus.answers.put(acme, id, bytes('second'))).toBe(false);
      expect(text(await bus.answers.get(acme, id))).toBe('first');
      expect(await bus.answers.get(globex, id)).toBeNull();
      expect(await bus.answers.put(globex, id, bytes('theirs'))).toBe(true);
      expect(text(await bus.answers.get(acme, id))).toBe('first');
    });

    test('of many who put at once one wins, and all read its answer', async () => {
      const put = await Promise.all(Array.from({ length: 20 }, (_, n) => bus.answers.put(acme, id, bytes(`from ${n}`))));
      expect(put.filter(Boolean)).toHaveLength(1);
      expect(text(await bus.answers.get(acme, id))).toBe(`from ${put.indexOf(true)}`);
    });

    test('of the keys that are offered the first stands, also when many come at once', async () => {
      const offered = await Promise.all(Array.from({ length: 20 }, (_, n) => bus.hashKey.offer(bytes(`key ${n}`))));
      const [first] = offered.map(text);
      expect(first).toMatch(/^key \d+$/);
      expect(offered.map(text)).toEqual(Array.from({ length: 20 }, () => first));
      expect(text(await bus.hashKey.offer(bytes('later')))).toBe(first);
    });

    test('a letter comes back as it was put, the newest first, the same id once', async () => {
      const letter = (n: number) => ({
        reason: 'not-json',
        detail: `line one\nline two ✖ ${n}`,
        origin: 'SWITCHYARD_EVENTS',
        originSequence: n,
        id: `letter-${n}`,
        body: new Uint8Array([0, 255, n]),
      });
      for (const n of [1, 2, 2, 3]) await bus.dead.put(letter(n));
      const { originSequence: _, ...withoutSequence } = { ...letter(4), reason: 'undelivered' };
      await bus.dead.put(withoutSequence);
      const letters = await bus.dead.list({ limit: 3 });
      expect(letters.map(({ id: letterId }) => letterId)).toEqual(['letter-4', 'letter-3', 'letter-2']);
      const { body: _body, ...third } = letter(3);
      expect(letters[1]).toMatchObject(third);
      expect([...letters[1]!.body]).toEqual([0, 255, 3]);
      expect(letters[0]).not.toHaveProperty('originSequence');
      expect(letters[0]?.reason).toBe('undelivered');
      expect(Math.abs(Date.now() - letters[0]!.storedAtMs)).toBeLessThan(60_000);
    });

    test('no letters, an empty list', async () => {
      expect(await bus.dead.list({ limit: 10 })).toEqual([]);
    });
  });
};
