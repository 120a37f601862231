import type { Target } from './http-load.ts';
import type { BenchContext } from './report.ts';

/** Who is asked: the mock provider itself, the yard before it, and the peer before it where there is one. */
export type Targets = { readonly direct: Target; readonly yard: Target; readonly peer: Target | null };

export const scaled = (value: number, { scale }: BenchContext): number => Math.max(1, Math.round(value * scale));

/** Counts what is sent, so that all of it can be looked for afterwards. */
export const countRequests = (target: Target): { readonly target: Target; readonly sent: () => number } => {
  let sent = 0;
  return {
    target: {
      ...target,
      ask: (prompt) => {
        sent++;
        return target.ask(prompt);
      },
    },
    sent: () => sent,
  };
};
