/** How many in a second, over the last `windowMs`. Keeps one number for each of ten slices of the window. */
export type Rate = { readonly add: (count: number, nowMs: number) => void; readonly perSecond: (nowMs: number) => number };

const slices = 10;

export const createRate = (windowMs: number): Rate => {
  const sliceMs = windowMs / slices;
  const counts = new Map<number, number>();
  const forget = (slice: number) => {
    for (const known of counts.keys()) if (known <= slice - slices) counts.delete(known);
  };
  return {
    add: (count, nowMs) => {
      const slice = Math.floor(nowMs / sliceMs);
      counts.set(slice, (counts.get(slice) ?? 0) + count);
      forget(slice);
    },
    perSecond: (nowMs) => {
      forget(Math.floor(nowMs / sliceMs));
      const total = counts.values().reduce((sum, count) => sum + count, 0);
      return Math.round((total / windowMs) * 1_000);
    },
  };
};
