/**
 * Between one who calls back and one who awaits: what was put in is taken out in order, all that is there at once. Has no limit of its own; whoever puts in
 * keeps one. After `end` what is left can still be taken, then nothing.
 */
export type Mailbox<T> = {
  readonly put: (item: T) => void;
  readonly end: () => void;
  readonly size: () => number;
  /** What is there now, without waiting. */
  readonly drain: () => readonly T[];
  /** At least one item; none when the mailbox has ended. One taker at a time. */
  readonly take: () => Promise<readonly T[]>;
};

export const createMailbox = <T>(): Mailbox<T> => {
  let items: T[] = [];
  let hasEnded = false;
  let wake: (() => void) | undefined;
  const drain = (): readonly T[] => {
    const drained = items;
    items = [];
    return drained;
  };
  return {
    put: (item) => {
      if (hasEnded) return;
      items.push(item);
      wake?.();
    },
    end: () => {
      hasEnded = true;
      wake?.();
    },
    size: () => items.length,
    drain,
    take: async () => {
      if (items.length === 0 && !hasEnded)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return drain();
    },
  };
};
