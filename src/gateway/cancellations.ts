import { LRUCache } from 'lru-cache';
import { z } from 'zod';

/** What a gateway publishes when the caller of a queued request has gone. */
const cancellationSchema = z.object({ request_id: z.string().max(128), reply: z.string().max(256) });

export const readCancellation = (body: Uint8Array): string | null => {
  try {
    const { request_id: requestId, reply } = cancellationSchema.parse(JSON.parse(new TextDecoder().decode(body)));
    return cancellationKey(requestId, reply);
  } catch {
    return null;
  }
};

export const cancellationKey = (requestId: string, reply: string): string => `${requestId} ${reply}`;

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
