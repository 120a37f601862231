/**
 * When each request is due, ms after the beginning. `at-once`: as fast as they go; the concurrency is then the only brake.
 */
export type Arrivals = { readonly kind: 'at-once' } | { readonly kind: 'timed'; readonly dueMs: (index: number) => number };

export const atOnce: Arrivals = { kind: 'at-once' };

/**
 * The arrivals of a trace, `speed` times as fast. A trace that is too short begins again: the gap between its end and its new beginning is
 * its mean gap, so that the rate stays that of the trace.
 */
export const arrivalsOf = (offsetsMs: readonly number[], speed: number): Arrivals => {
  const lastMs = offsetsMs.at(-1) ?? 0;
  const roundMs = offsetsMs.length > 1 ? lastMs + lastMs / (offsetsMs.length - 1) : lastMs;
  return {
    kind: 'timed',
    dueMs: (index) => (Math.floor(index / offsetsMs.length) * roundMs + (offsetsMs[index % offsetsMs.length] ?? 0)) / speed,
  };
};

/** Evenly, so many a second. */
export const steadyArrivals = (ratePerSecond: number): Arrivals => ({ kind: 'timed', dueMs: (index) => (index * 1_000) / ratePerSecond });
