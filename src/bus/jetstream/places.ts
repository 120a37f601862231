/**
 * Places for items that are under way, a fixed number. A place is held until it is given back, or until its lease ends without having been renewed:
 * then the queue has given the item to somebody else.
 */
export type Places = {
  readonly free: () => number;
  /** Resolves when at least one place is free. */
  readonly room: () => Promise<void>;
  readonly hold: (key: string) => void;
  readonly renew: (key: string) => void;
  readonly giveBack: (key: string) => void;
};

export const createPlaces = (count: number, leaseMs: number, nowMs: () => number = Date.now): Places => {
  const leases = new Map<string, number>();
  let wake: (() => void) | undefined;

  const free = (): number => {
    for (const [key, untilMs] of leases) if (untilMs <= nowMs()) leases.delete(key);
    return count - leases.size;
  };
  const endOfFirstLeaseMs = (): number => Math.max(1, Math.min(...leases.values()) - nowMs());

  return {
    free,
    room: async () => {
      while (free() <= 0) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
          timer = setTimeout(resolve, endOfFirstLeaseMs());
        });
        clearTimeout(timer);
      }
    },
    hold: (key) => leases.set(key, nowMs() + leaseMs),
    renew: (key) => {
      if (leases.has(key)) leases.set(key, nowMs() + leaseMs);
    },
    giveBack: (key) => {
      leases.delete(key);
      wake?.();
    },
  };
};
