import { z } from 'zod';
import { nameSchema, requestIdSchema } from '../identifiers.ts';
import { defineEvent } from '../envelope.ts';

const tier = z.enum(['l1']).describe('l1: in process');
const key = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('keyed hash (HMAC-SHA-256, first 128 bits) of tenant and question; not reversible without the key');

export const cacheHit = defineEvent({
  type: 'cache.hit',
  version: 1,
  summary: 'A request was answered from the cache: this takes the place of a routing decision, no model was asked.',
  data: z.object({
    key,
    tier,
    lookup: z
      .enum(['exact', 'single-flight'])
      .describe('exact: the same question was stored; single-flight: it was being answered for another request at the same moment'),
    ageMs: z.number().min(0).describe('since the answer was stored, ms'),
    arm: nameSchema.describe('the arm that made the stored answer'),
    model: nameSchema.describe('its model'),
    originRequestId: requestIdSchema.describe('the request that the stored answer was made for'),
    savedCostNanoUsd: z.int().min(0).describe('what the stored answer cost when it was made, in 1e-9 dollars'),
  }),
});

export const cacheStored = defineEvent({
  type: 'cache.stored',
  version: 1,
  summary: 'A complete answer was put into the cache.',
  data: z.object({
    key,
    tier,
    arm: nameSchema.describe('the arm that made the answer'),
    model: nameSchema.describe('its model'),
    bytes: z.int().min(0).describe('size of the entry in the cache'),
    ttlMs: z.int().min(0).describe('time to live, ms'),
  }),
});
