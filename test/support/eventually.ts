import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the probe gives something other than null, undefined and false, and gives that; what it throws counts as not yet. Bounded: the error says what was waited for
 * and what was seen last.
 */
export const eventually = async <T>(
  probe: () => T | Promise<T>,
  {
    what = probe.toString(),
    withinMs = 60_000,
    everyMs = 20,
  }: { readonly what?: string; readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<Exclude<T, null | undefined | false>> => {
  const untilMs = Date.now() + withinMs;
  let seen: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value as Exclude<T, null | undefined | false>;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > untilMs) throw new Error(`waited ${withinMs} ms for ${what}`, { cause: seen });
    await sleep(everyMs);
  }
};
