import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition with a bound; the error says what was waited for and what was seen last. */
export const waitUntil = async <T>(
  what: string,
  probe: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { timeoutMs = 30_000, everyMs = 50 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<T> => {
  const untilMs = Date.now() + timeoutMs;
  let seen: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (Date.now() > untilMs) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: seen });
    await sleep(everyMs);
  }
};
