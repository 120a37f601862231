/**
 * Tasks with the same key run one after the other, those with different keys side by side, on at most so many lanes at once. A key always has the same lane.
 */
export type Lanes = {
  /** Settles with the task. */
  readonly run: <T>(key: string, task: () => Promise<T>) => Promise<T>;
  /** Resolves when all tasks so far have settled. */
  readonly idle: () => Promise<void>;
};

export const createLanes = (count: number): Lanes => {
  const lanes: Promise<unknown>[] = Array.from({ length: count }, () => Promise.resolve());
  return {
    run: (key, task) => {
      const lane = hash(key) % count;
      const mine = (lanes[lane] ?? Promise.resolve()).then(task);
      lanes[lane] = mine.catch(() => undefined);
      return mine;
    },
    idle: async () => {
      await Promise.all(lanes);
    },
  };
};

/** FNV-1a, 32 bits: spreads keys, nothing more. */
const hash = (key: string): number => {
  let value = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193);
  return value >>> 0;
};
