import type { Clock } from '../../src/bus/memory/clock.ts';

/** A clock that moves when it is told to, and runs what falls due on the way, in order. */
export type ManualClock = Clock & { readonly advance: (ms: number) => void };

export const createManualClock = (startMs: number): ManualClock => {
  let nowMs = startMs;
  const due = new Set<{ readonly atMs: number; readonly action: () => void }>();
  return {
    nowMs: () => nowMs,
    after: (ms, action) => {
      const entry = { atMs: nowMs + ms, action };
      due.add(entry);
      return () => due.delete(entry);
    },
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const next = [...due].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined) break;
        due.delete(next);
        nowMs = next.atMs;
        next.action();
      }
      nowMs = untilMs;
    },
  };
};
