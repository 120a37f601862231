/** Wakes one waiter. A ring while nobody waits is remembered for the next wait. */
export type Bell = { readonly ring: () => void; readonly wait: () => Promise<void> };

export const createBell = (): Bell => {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async () => {
      if (!rung)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      rung = false;
    },
  };
};
