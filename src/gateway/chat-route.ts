import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestId } from '../events/index.ts';
import type { Answering, AnswerOrigin } from '../requests/answer.ts';
import type { AcceptChat, Accepted } from './accept-chat.ts';
import { collectAnswer, wholeCompletion } from './completion.ts';
import type { GatewayError } from './error-catalogue.ts';
import { bodyOf, envelopeOf } from './http-request.ts';
import { sendError } from './http-reply.ts';
import { eventStreamHeaders, readOpening, streamAnswer } from './stream-answer.ts';

export type ChatRouteParts = {
  readonly accept: AcceptChat;
  readonly answering: Answering;
  /** A reader who takes nothing for so long is cut off. */
  readonly idleMs: number;
  /** Callers whose answers are under way; aborting one ends its answer. */
  readonly underWay: Set<AbortController>;
  readonly isClosing: () => boolean;
};

/** POST /v1/chat/completions. */
export const chatRoute =
  (parts: ChatRouteParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const accepted = parts.accept(envelopeOf(request), bodyOf(request));
    reply.header('x-request-id', accepted.kind === 'refused' ? accepted.requestId : accepted.request.requestId);
    if (accepted.kind === 'refused') return sendError(reply, accepted.error, false);
    if (parts.isClosing()) return sendError(reply, closing, true);

    const caller = new AbortController();
    parts.underWay.add(caller);
    // It also comes after an answer; an abort costs as much as parsing a request, so it is kept for callers who went away.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) caller.abort();
    });
    try {
      return await (accepted.request.streamed ? answerStreamed : answerWhole)(parts, accepted, reply, caller.signal);
    } finally {
      parts.underWay.delete(caller);
    }
  };

type Admitted = Extract<Accepted, { kind: 'accepted' }>;

const answerWhole = async ({ answering }: ChatRouteParts, { request }: Admitted, reply: FastifyReply, signal: AbortSignal) => {
  const answer = await collectAnswer(answering.answer(request, signal));
  reply.headers(answerHeaders(request.requestId, answer.origin, answer.kind === 'whole' && answer.finished.repeated));
  if (answer.kind === 'failed') return sendError(reply, answer.error, request.retryable);
  return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(wholeCompletion(answer, Date.now())));
};

const answerStreamed = async (
  { answering, idleMs }: ChatRouteParts,
  { request, includeUsage }: Admitted,
  reply: FastifyReply,
  signal: AbortSignal,
) => {
  const parts = answering.answer(request, signal)[Symbol.asyncIterator]();
  const opening = await readOpening(parts);
  const headers = answerHeaders(request.requestId, opening.origin, opening.origin?.repeated === true);
  if (opening.kind === 'failed') return sendError(reply.headers(headers), opening.error, request.retryable);
  reply.hijack();
  try {
    reply.raw.writeHead(200, { ...eventStreamHeaders, ...headers });
    await streamAnswer(reply.raw, parts, opening, { includeUsage, idleMs, signal });
  } catch (error) {
    // Cut off rather than ended: no reader can take the rest for an answer.
    reply.raw.destroy();
    throw error;
  }
  return reply;
};

const answerHeaders = (requestId: RequestId, origin: AnswerOrigin | null, repeated: boolean): Record<string, string> => ({
  'x-request-id': requestId,
  ...(origin === null ? {} : { 'x-switchyard-arm': origin.arm, 'x-switchyard-model': origin.model, 'x-switchyard-cache': origin.cache }),
  ...(origin?.simulated === true ? { 'x-switchyard-simulated': 'true' } : {}),
  ...(repeated ? { 'x-switchyard-repeated': 'true' } : {}),
});

const closing: GatewayError = { code: 'unavailable', message: 'This process is shutting down; try again.', retryAfterMs: 1_000 };
