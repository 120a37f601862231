/** How the demo's requests enter the yard. Each has an id of its own, so that sending it again is safe: it is answered once and recorded once. */
export type Sender = {
  /** Resolves with the answer or with the failure that stands; it does not throw. */
  readonly send: (request: DemoRequest) => Promise<DemoAnswer>;
  readonly close: () => Promise<void>;
};

export type DemoRequest = { readonly id: string; readonly prompt: string };

export type DemoAnswer =
  | { readonly kind: 'answered'; readonly fromCache: boolean; readonly attempts: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly attempts: number };

/** An attempt that may be made again, or the answer that stands. */
export type Attempt =
  | { readonly kind: 'again'; readonly afterMs: number; readonly code: string; readonly message: string }
  | Omit<Extract<DemoAnswer, { kind: 'answered' }>, 'attempts'>
  | Omit<Extract<DemoAnswer, { kind: 'failed' }>, 'attempts'>;

const mostAttempts = 6;
const longestPauseMs = 2_000;

/** Tries again what can be tried again, a bounded number of times. */
export const untilItStands = async (attempt: () => Promise<Attempt>, pause: (ms: number) => Promise<unknown>): Promise<DemoAnswer> => {
  for (let attempts = 1; ; attempts++) {
    const seen = await attempt();
    if (seen.kind !== 'again') return { ...seen, attempts };
    if (attempts === mostAttempts) return { kind: 'failed', code: seen.code, message: seen.message, attempts };
    await pause(Math.min(seen.afterMs, longestPauseMs));
  }
};
