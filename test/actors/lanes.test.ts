import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLanes } from '../../src/actors/lanes.ts';

test('tasks of one key run one after the other, in order', async () => {
  const lanes = createLanes(4);
  const seen: string[] = [];
  const task = (name: string, ms: number) => async () => {
    seen.push(`${name} begins`);
    await sleep(ms);
    seen.push(`${name} ends`);
  };
  await Promise.all([lanes.run('a', task('first', 20)), lanes.run('a', task('second', 0))]);
  expect(seen).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
});

test('tasks of different keys run side by side, on no more lanes than there are', async () => {
  const lanes = createLanes(4);
  let now = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 64 }, (_, n) =>
      lanes.run(`key ${n}`, async () => {
        most = Math.max(most, ++now);
        await sleep(2);
        now--;
      }),
    ),
  );
  expect(most).toBe(4);
});

test('a task that fails tells its caller and does not hold up its lane', async () => {
  const lanes = createLanes(1);
  await expect(lanes.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(lanes.run('b', async () => 'yes')).resolves.toBe('yes');
  await lanes.idle();
});
