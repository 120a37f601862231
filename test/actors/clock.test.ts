import { describe, expect, it } from 'vitest';
import { createClock } from '../../src/actors/clock.ts';

describe('the clock', () => {
  const given = () => {
    const time = { wall: 1_000_000, running: 50.25 };
    return { time, now: createClock({ wallMs: () => time.wall, runningMs: () => time.running }) };
  };

  it('given a steady wall clock, then it adds the fractions', () => {
    const { time, now } = given();
    time.running += 0.5;
    expect(now()).toBe(1_000_000.5);
    time.wall += 10;
    time.running += 10;
    expect(now()).toBe(1_000_010.5);
  });

  it.each([
    ['the machine slept, which the running clock does not count', 3_600_000],
    ['the time was set back', -60_000],
  ])('given that %s, then it follows the wall clock, fractions again from there', (_, jumpMs) => {
    const { time, now } = given();
    time.wall += jumpMs;
    expect(now()).toBe(1_000_000 + jumpMs);
    time.running += 0.25;
    expect(now()).toBe(1_000_000 + jumpMs + 0.25);
  });

  it('of the machine, is never far from the wall clock', () => {
    const now = createClock();
    for (let i = 0; i < 1_000; i++) {
      const beforeMs = Date.now();
      const seenMs = now();
      expect(seenMs).toBeGreaterThan(beforeMs - 4);
      expect(seenMs).toBeLessThan(Date.now() + 4);
    }
  });
});
