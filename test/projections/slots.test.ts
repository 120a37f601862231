import { expect, test } from 'vitest';
import { createSlots } from '../../src/projections/sql/slots.ts';

test('so many at a time, so many wait in order, the rest are turned away; a slot is given back once', async () => {
  const slots = createSlots({ slots: 1, waiting: 2, waitMs: 60_000 });
  const first = await slots.take();
  const order: string[] = [];
  const second = slots.take().then((release) => (order.push('second'), release));
  const third = slots.take().then((release) => (order.push('third'), release));
  expect(await slots.take()).toBeNull();
  first?.();
  first?.();
  const release = await second;
  expect(order).toEqual(['second']);
  release?.();
  (await third)?.();
  expect(await slots.take()).not.toBeNull();
});

test('whoever waits too long is turned away and holds nothing', async () => {
  const slots = createSlots({ slots: 1, waiting: 2, waitMs: 5 });
  const release = await slots.take();
  expect(await slots.take()).toBeNull();
  release?.();
  expect(await slots.take()).not.toBeNull();
});
