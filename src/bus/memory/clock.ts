/** Time as something that can be handed in: tests move it by hand. */
export type Clock = {
  readonly nowMs: () => number;
  /** Calls once after so long; returns the function that prevents it. */
  readonly after: (ms: number, action: () => void) => () => void;
};

export const systemClock: Clock = {
  nowMs: Date.now,
  after: (ms, action) => {
    const timer = setTimeout(action, ms).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
