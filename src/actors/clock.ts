/**
 * Milliseconds since 1970 with fractions: `Date.now()`, refined by the clock that only runs forward. That one stands still while the machine sleeps and does not
 * follow when the time is set, so it is set anew whenever the two have parted.
 */
export type TimeSources = { readonly wallMs: () => number; readonly runningMs: () => number };

/** `Date.now()` cuts the fraction off: up to one millisecond apart, both ways, is agreement. */
const agreementMs = 2;

export const createClock = (
  { wallMs, runningMs }: TimeSources = { wallMs: Date.now, runningMs: () => performance.now() },
): (() => number) => {
  let offsetMs = wallMs() - runningMs();
  return () => {
    const wall = wallMs();
    const refined = offsetMs + runningMs();
    if (Math.abs(refined - wall) <= agreementMs) return refined;
    offsetMs += wall - refined;
    return wall;
  };
};
