/**
 * Whether records come in the order of time: what looks back (a reward model that learns from the records before, intervals at all times) stands on it. Several processes write one log, with clocks that differ: a record
 * is late that lies more than a minute behind the latest before it, and one in a hundred may be.
 */
export type Order = { readonly add: (atMs: number) => void; readonly isKept: () => boolean };

const toleranceMs = 60_000;
const mostLate = 0.01;

export const openOrder = (): Order => {
  let latestMs = -Infinity;
  let records = 0;
  let late = 0;
  return {
    add: (atMs) => {
      records++;
      if (atMs < latestMs - toleranceMs) late++;
      if (atMs > latestMs) latestMs = atMs;
    },
    isKept: () => late <= mostLate * records,
  };
};
