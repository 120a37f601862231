import { describe, expect, test } from 'vitest';
import { createBatchBuffer, type Entry } from '../../src/projections/batch-buffer.ts';

const entry = (sequence: number, rows = 1, lines = 'x'): Entry => ({ sequence, storedAtMs: sequence * 10, rows, lines });
const never = 60_000;

describe('the buffer between reader and writer', () => {
  test('a batch is handed out when it is full, and the reader waits until then', async () => {
    const buffer = createBatchBuffer({ rows: 3, bytes: 1_000, waitMs: never });
    expect(buffer.put(entry(1, 2))).toBeUndefined();
    let released = false;
    const full = buffer.put(entry(2, 2))?.then(() => (released = true));
    expect(full).toBeDefined();
    expect(released).toBe(false);
    expect((await buffer.take())?.map(({ sequence }) => sequence)).toEqual([1, 2]);
    await full;
    expect(released).toBe(true);
    expect(buffer.waiting()).toEqual({ entries: 0, oldestStoredAtMs: null });
  });

  test('bytes fill it as rows do', async () => {
    const buffer = createBatchBuffer({ rows: 100, bytes: 10, waitMs: never });
    expect(buffer.put(entry(1, 1, 'x'.repeat(10)))).toBeDefined();
    expect(await buffer.take()).toHaveLength(1);
  });

  test('a batch that is not full is handed out after its wait, and not before there is anything', async () => {
    const buffer = createBatchBuffer({ rows: 100, bytes: 1_000, waitMs: 5 });
    const taken = buffer.take();
    expect(await Promise.race([taken, new Promise((resolve) => setTimeout(resolve, 30, 'nothing'))])).toBe('nothing');
    void buffer.put(entry(4));
    expect(await taken).toEqual([entry(4)]);
  });

  test('the oldest that waits is known', () => {
    const buffer = createBatchBuffer({ rows: 100, bytes: 1_000, waitMs: never });
    void buffer.put(entry(4));
    void buffer.put(entry(5));
    expect(buffer.waiting()).toEqual({ entries: 2, oldestStoredAtMs: 40 });
    buffer.end();
  });

  test('the end wakes the reader and the writer, and drops what waits', async () => {
    const buffer = createBatchBuffer({ rows: 1, bytes: 1_000, waitMs: never });
    const full = buffer.put(entry(1));
    buffer.end();
    await full;
    expect(await buffer.take()).toBeNull();
    expect(buffer.put(entry(2))).toBeUndefined();
    const idle = createBatchBuffer({ rows: 1, bytes: 1_000, waitMs: never });
    const taken = idle.take();
    idle.end();
    expect(await taken).toBeNull();
  });
});
