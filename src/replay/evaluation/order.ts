import type { LoggedDecision } from '../logged/logged-decision.ts';

/**
 * Whether records come in the order of time: what looks back (a reward model that learns from the records before, intervals at all times) stands on it. Several processes of a yard write one log, with clocks that differ: a
 * request is late that lies more than a minute behind the latest before it; a slot of another system that lies behind it at all. One in a hundred may be. How records of one millisecond were sorted cannot be seen.
 */
export type Order = { readonly add: (decision: Pick<LoggedDecision, 'atMs' | 'context'>) => void; readonly isKept: () => boolean };

const clocksDifferByMs = 60_000;
const mostLate = 0.01;

export const openOrder = (): Order => {
  let latestMs = -Infinity;
  let records = 0;
  let late = 0;
  return {
    add: ({ atMs, context }) => {
      records++;
      if (atMs < latestMs - (context.kind === 'slot' ? 0 : clocksDifferByMs)) late++;
      if (atMs > latestMs) latestMs = atMs;
    },
    isKept: () => late <= mostLate * records,
  };
};
