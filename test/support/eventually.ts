import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition gives something other than undefined and false, within a bound. */
export const eventually = async <T>(condition: () => T | Promise<T>, withinMs = 10_000): Promise<Exclude<T, undefined | false>> => {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    if (Date.now() > untilMs) throw new Error(`expected a condition to hold within ${withinMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
};
