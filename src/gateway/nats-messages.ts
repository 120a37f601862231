import { z } from 'zod';
import type { JsonObject } from '../json.ts';
import type { ErrorCode } from './error-catalogue.ts';

/**
 * What comes on the reply subject. `seq` counts the messages of one attempt from 1 without gaps, so a reader sees what got lost. An attempt that follows
 * a death or a broken connection begins again at 1 under another `attempt`, maybe while the one before still sends: a reader keeps the
 * two apart by that name. It is no number, since a server that was killed counts its deliveries anew.
 */
const numbered = { seq: z.int().min(1), attempt: z.string().min(1), request_id: z.string() };

const chunkSchema = z.object({
  type: z.literal('chunk'),
  ...numbered,
  text: z.string(),
  tool_calls: z.array(z.custom<JsonObject>((value) => typeof value === 'object' && value !== null)).optional(),
});

const finalSchema = z.object({
  type: z.literal('final'),
  ...numbered,
  arm: z.string(),
  model: z.string(),
  cache: z.enum(['hit', 'miss', 'bypass']),
  simulated: z.boolean(),
  repeated: z.boolean(),
  finish_reason: z.string(),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0), total_tokens: z.int().min(0) }),
  cost_nano_usd: z.int().min(0),
  /** Messages of type `chunk` before this one: 0 when the answer is whole, and then in `response`. */
  chunks: z.int().min(0),
  response: z.unknown().optional(),
});

const errorSchema = z.object({
  type: z.literal('error'),
  ...numbered,
  /** Absent in a refusal: nothing was attempted. */
  attempt: z.string().min(1).optional(),
  code: z.custom<ErrorCode>((value) => typeof value === 'string'),
  message: z.string(),
  param: z.string().optional(),
  retry_after_ms: z.number().optional(),
});

/** Stored in the queue; only for streamed requests, whose reader expects several messages. */
const acceptedSchema = z.object({ type: z.literal('accepted'), seq: z.literal(0), request_id: z.string() });

export const natsMessageSchema = z.discriminatedUnion('type', [acceptedSchema, chunkSchema, finalSchema, errorSchema]);

export type NatsMessage = z.infer<typeof natsMessageSchema>;
export type ErrorMessage = z.infer<typeof errorSchema>;

const encoder = new TextEncoder();

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));
