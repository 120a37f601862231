import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EventLog } from '../bus/event-log.ts';
import { InvariantError, TransientError } from '../errors.ts';
import { feedbackReceived, idempotencyIds, makeEvent, requestIdSchema, type Tenant } from '../events/index.ts';
import { readJson, refuse, type Read } from './json-border.ts';

/**
 * A judgement of an answer, over HTTP or NATS: exactly one of thumb, score and outcome. The last judgement of a request stands. With an `id` of the
 * caller's (or its idempotency key) the same judgement sent twice is counted once; without one each is a judgement of its own, and
 * a repeated one changes nothing, since it takes the place of an equal one.
 */
export type Feedback = {
  readonly id: string;
  readonly sequence: number;
  /** True when the log held this id already: nothing was added. */
  readonly duplicate: boolean;
};

export type ReceiveFeedback = (tenant: Tenant, idempotencyKey: string | undefined, body: Uint8Array) => Promise<Read<Feedback>>;

export const feedbackBytesMax = 16_384;
const feedbackDepthMax = 4;

export const createReceiveFeedback =
  (options: { readonly log: EventLog; readonly instance: string }): ReceiveFeedback =>
  async (tenant, idempotencyKey, body) => {
    const read = readFeedback(body, idempotencyKey);
    if (read.kind === 'refused') return read;
    const { requestId, feedbackId, kind, scoreMicro } = read.value;
    const event = makeEvent(
      feedbackReceived,
      { tenant, requestId, source: `switchyard/${options.instance}`, timeMs: Date.now() },
      { feedbackId, kind, scoreMicro },
    );
    try {
      const appended = await options.log.append([event], { idempotencyId: idempotencyIds.feedback(tenant, requestId, feedbackId) });
      if (appended.kind === 'conflict') throw new InvariantError('the log reported a conflict although nothing was expected of it');
      return { kind: 'read', value: { id: feedbackId, sequence: appended.sequence, duplicate: appended.kind === 'duplicate' } };
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      return refuse({
        code: 'unavailable',
        message: `The event log cannot be reached (${error.code}); send the judgement again with the same id.`,
        retryAfterMs: error.retryAfterMs,
      });
    }
  };

const feedbackSchema = z
  .object({
    request_id: requestIdSchema,
    id: requestIdSchema.optional(),
    thumb: z.enum(['up', 'down'], 'expected "up" or "down"').optional(),
    score: z.number('expected a number from 0 to 1').min(0, 'expected at least 0').max(1, 'expected at most 1').optional(),
    outcome: z.enum(['success', 'failure'], 'expected "success" or "failure"').optional(),
  })
  .refine(({ thumb, score, outcome }) => [thumb, score, outcome].filter((it) => it !== undefined).length === 1, {
    message: 'expected exactly one of thumb, score and outcome',
  });

const readFeedback = (body: Uint8Array, idempotencyKey: string | undefined) => {
  if (body.byteLength > feedbackBytesMax)
    return refuse({ code: 'body_too_large', message: `Expected at most ${feedbackBytesMax} bytes, got ${body.byteLength}.` });
  const json = readJson(body, feedbackDepthMax);
  if (json.kind === 'refused') return json;
  const parsed = feedbackSchema.safeParse(json.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = issue?.path.join('.') ?? '';
    return refuse({
      code: param === 'request_id' || param === 'id' ? 'invalid_request_id' : 'invalid_request',
      message: `${param === '' ? 'The body' : param}: ${issue?.message ?? 'expected a judgement'}.`,
      ...(param === '' ? {} : { param }),
    });
  }
  const { request_id: requestId, id, ...judgement } = parsed.data;
  const key = requestIdSchema.safeParse(id ?? idempotencyKey ?? randomUUID());
  if (!key.success)
    return refuse({ code: 'invalid_request_id', message: `The idempotency key: ${key.error.issues[0]?.message ?? 'expected an id'}.` });
  return { kind: 'read' as const, value: { requestId, feedbackId: key.data, ...judge(judgement) } };
};

type Judgement = Pick<z.infer<typeof feedbackSchema>, 'thumb' | 'score' | 'outcome'>;

const judge = ({ thumb, score, outcome }: Judgement): { readonly kind: 'thumb' | 'score' | 'outcome'; readonly scoreMicro: number } => {
  if (thumb !== undefined) return { kind: 'thumb', scoreMicro: thumb === 'up' ? 1_000_000 : 0 };
  if (outcome !== undefined) return { kind: 'outcome', scoreMicro: outcome === 'success' ? 1_000_000 : 0 };
  return { kind: 'score', scoreMicro: Math.round((score ?? 0) * 1_000_000) };
};
