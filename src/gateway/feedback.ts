import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EventLog } from '../bus/event-log.ts';
import { InvariantError, TransientError } from '../errors.ts';
import { feedbackReceived, idempotencyIds, makeEvent, requestIdSchema, type DataOf, type Sequence, type Tenant } from '../events/index.ts';
import type { Json } from '../json.ts';
import type { GatewayError } from './error-catalogue.ts';
import { readJson, refuse, type Read } from './json-border.ts';

/**
 * A judgement of an answer, over HTTP or NATS: exactly one of thumb, score and outcome; which of several stands is said in docs/reward.md. With an `id` of the
 * caller's (or its idempotency key) the same judgement sent twice is counted once, and another one under that id is refused; without one each is a judgement of its
 * own, and a repeated one changes nothing, since it takes the place of an equal one.
 *
 * The log knows an id for as long as its duplicate window is. One that is used again after that is rejected by the router, by an event.
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
      if (appended.kind === 'duplicate') {
        const first = await judgementAt(options.log, appended.sequence);
        if (first !== null && (first.kind !== kind || first.scoreMicro !== scoreMicro)) return refuse(reused(feedbackId, requestId, first));
      }
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

type Judged = Pick<DataOf<'feedback.received'>, 'kind' | 'scoreMicro'>;

/** Null when the log no longer holds it. */
const judgementAt = async (log: EventLog, at: Sequence): Promise<Judged | null> => {
  const entry = await log.at(at);
  return entry?.kind === 'events' && entry.events[0].type === 'feedback.received' ? entry.events[0].data : null;
};

const reused = (id: string, requestId: string, { kind, scoreMicro }: Judged): GatewayError => ({
  code: 'feedback_id_reused',
  param: 'id',
  message: `Expected a new id, or the judgement that "${id}" was first used for with request ${requestId}: ${kind} ${scoreMicro / million}.`,
});

const million = 1_000_000;

const feedbackSchema = z
  .object(
    {
      request_id: requestIdSchema,
      id: requestIdSchema.optional(),
      thumb: z.enum(['up', 'down'], 'expected "up" or "down"').optional(),
      score: z.number('expected a number from 0 to 1').min(0, 'expected at least 0').max(1, 'expected at most 1').optional(),
      outcome: z.enum(['success', 'failure'], 'expected "success" or "failure"').optional(),
    },
    'expected an object with request_id and one of thumb, score and outcome',
  )
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
      message: `${param === '' ? 'The body' : param}: ${issue?.message ?? 'expected a judgement'}, got ${seenAt(json.value, issue?.path ?? [])}.`,
      ...(param === '' ? {} : { param }),
    });
  }
  const { request_id: requestId, id, ...judgement } = parsed.data;
  const key = requestIdSchema.safeParse(id ?? idempotencyKey ?? randomUUID());
  if (!key.success)
    return refuse({ code: 'invalid_request_id', message: `The idempotency key: ${key.error.issues[0]?.message ?? 'expected an id'}.` });
  return { kind: 'read' as const, value: { requestId, feedbackId: key.data, ...judge(judgement) } };
};

const excerptCharacters = 60;

/** What stands there instead, as its sender wrote it. JSON can carry numbers that are too large to be any. */
const seenAt = (body: Json, path: readonly PropertyKey[]): string => {
  const seen = path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );
  if (seen === undefined) return 'nothing';
  const text = typeof seen === 'number' ? String(seen) : JSON.stringify(seen);
  return text.length > excerptCharacters ? `${text.slice(0, excerptCharacters)}...` : text;
};

type Judgement = Pick<z.infer<typeof feedbackSchema>, 'thumb' | 'score' | 'outcome'>;

const judge = ({ thumb, score, outcome }: Judgement): Judged => {
  if (thumb !== undefined) return { kind: 'thumb', scoreMicro: thumb === 'up' ? million : 0 };
  if (outcome !== undefined) return { kind: 'outcome', scoreMicro: outcome === 'success' ? million : 0 };
  // The sum turns a negative zero, which JSON can carry, into zero.
  return { kind: 'score', scoreMicro: Math.round((score ?? 0) * million) + 0 };
};
