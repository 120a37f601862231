import { LRUCache } from 'lru-cache';

/** Cancellations that came before the request was taken from the queue: bounded in number and in time, each used once. */
export type RecentCancellations = { readonly add: (key: string) => void; readonly take: (key: string) => boolean };

const limit = 10_000;
const keptMs = 600_000;

export const createRecentCancellations = (): RecentCancellations => {
  const keys = new LRUCache<string, true>({ max: limit, ttl: keptMs });
  return {
    add: (key) => keys.set(key, true),
    take: (key) => keys.delete(key),
  };
};
