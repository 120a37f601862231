/** So many at a time; a bounded number of others wait for a bounded time, in order; the rest are turned away at once. */
export type Slots = {
  /** The function gives the slot back; null when there is none. */
  readonly take: () => Promise<(() => void) | null>;
};

export const createSlots = (limits: { readonly slots: number; readonly waiting: number; readonly waitMs: number }): Slots => {
  const waiters: ((granted: boolean) => void)[] = [];
  let taken = 0;

  const giveBack = () => {
    const next = waiters.shift();
    if (next === undefined) taken -= 1;
    else next(true);
  };
  const held = () => {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      giveBack();
    };
  };
  return {
    take: async () => {
      if (taken < limits.slots) {
        taken += 1;
        return held();
      }
      if (waiters.length >= limits.waiting) return null;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiters.push(resolve);
      const timer = setTimeout(() => {
        const place = waiters.indexOf(resolve);
        if (place === -1) return;
        waiters.splice(place, 1);
        resolve(false);
      }, limits.waitMs);
      const granted = await promise;
      clearTimeout(timer);
      return granted ? held() : null;
    },
  };
};
