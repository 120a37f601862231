import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { LogEntry } from '../bus/event-log.ts';
import { nameSchema, requestIdSchema, tenantSchema, type DataOf, type Tenant } from '../events/index.ts';
import { jsonObjectSchema } from '../json.ts';
import type { Concern } from './concern.ts';

/**
 * The cache of complete answers in this process (L1, exact). An answer is first staged, and enters the cache when the log holds `cache.stored` for its request:
 * append, then act. The text is not in the log, so a rebuilt cache is empty; that costs hits, never truth.
 * Bounded in bytes and in time. What is staged is bounded by as many bytes again; the oldest is dropped, and with it the chance of a hit.
 */
const keySchema = z.string().regex(/^[0-9a-f]{32}$/);
const cachedAnswerSchema = z.object({
  text: z.string(),
  toolCalls: z.array(jsonObjectSchema),
  finishReason: z.string(),
  usage: z.object({ promptTokens: z.int().min(0), completionTokens: z.int().min(0) }),
  costNanoUsd: z.int().min(0),
  arm: nameSchema,
  model: nameSchema,
  simulated: z.boolean(),
  originRequestId: requestIdSchema,
});
export type CachedAnswer = z.infer<typeof cachedAnswerSchema>;

export const cacheCommandSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('lookup'), key: keySchema, nowMs: z.number() }),
  z.object({
    type: z.literal('stage'),
    tenant: tenantSchema,
    requestId: requestIdSchema,
    key: keySchema,
    answer: cachedAnswerSchema,
    nowMs: z.number(),
  }),
]);
export type CacheCommand = z.infer<typeof cacheCommandSchema>;

export type CacheReply =
  | { readonly kind: 'hit'; readonly answer: CachedAnswer; readonly ageMs: number }
  | { readonly kind: 'miss' }
  | { readonly kind: 'staged'; readonly stored: DataOf<'cache.stored'> }
  | { readonly kind: 'too-large' };

type Entry = { readonly answer: CachedAnswer; readonly storedAtMs: number; readonly bytes: number };
type Staged = { readonly key: string; readonly entry: Entry };
type CacheState = { readonly entries: LRUCache<string, Entry>; readonly staged: Map<string, Staged>; stagedBytes: number };

/** Key, object and list overhead of one entry. */
const entryOverheadBytes = 512;

export const cacheConcern = (options: {
  readonly bytes: number;
  readonly ttlMs: number;
}): Concern<CacheState, CacheCommand, CacheReply> => ({
  role: 'cache',
  follows: true,
  rebuild: async ({ atLeast }) => ({
    sequence: atLeast,
    state: {
      entries: new LRUCache<string, Entry>({ maxSize: options.bytes, sizeCalculation: (entry) => entry.bytes, ttl: options.ttlMs }),
      staged: new Map(),
      stagedBytes: 0,
    },
  }),
  handle: (command, state) => {
    switch (command.type) {
      case 'lookup': {
        const entry = state.entries.get(command.key);
        return entry === undefined
          ? { kind: 'miss' }
          : { kind: 'hit', answer: entry.answer, ageMs: Math.max(0, command.nowMs - entry.storedAtMs) };
      }
      case 'stage': {
        const bytes = answerBytes(command.answer);
        if (bytes > options.bytes) return { kind: 'too-large' };
        const entry = { answer: command.answer, storedAtMs: command.nowMs, bytes };
        putOnStage(state, stagedKey(command.tenant, command.requestId), { key: command.key, entry }, options.bytes);
        const { arm, model } = command.answer;
        return { kind: 'staged', stored: { key: command.key, tier: 'l1', arm, model, bytes, ttlMs: options.ttlMs } };
      }
    }
  },
  evolve: (state, entry: LogEntry) => {
    if (entry.kind === 'poison') return state;
    for (const event of entry.events) {
      if (event.type !== 'cache.stored') continue;
      const key = stagedKey(event.tenant, event.correlationid);
      const staged = takeFromStage(state, key);
      if (staged !== undefined) state.entries.set(staged.key, staged.entry);
    }
    return state;
  },
});

const putOnStage = (state: CacheState, key: string, staged: Staged, bytesLimit: number) => {
  takeFromStage(state, key);
  state.staged.set(key, staged);
  state.stagedBytes += staged.entry.bytes;
  for (const oldest of state.staged.keys()) {
    if (state.stagedBytes <= bytesLimit) break;
    takeFromStage(state, oldest);
  }
};

const takeFromStage = (state: CacheState, key: string): Staged | undefined => {
  const staged = state.staged.get(key);
  if (staged !== undefined) {
    state.staged.delete(key);
    state.stagedBytes -= staged.entry.bytes;
  }
  return staged;
};

const stagedKey = (tenant: Tenant, requestId: string) => `${tenant}:${requestId}`;

/** JavaScript keeps text in up to two bytes a character. */
const answerBytes = (answer: CachedAnswer): number =>
  entryOverheadBytes + 2 * (answer.text.length + (answer.toolCalls.length === 0 ? 0 : JSON.stringify(answer.toolCalls).length));
