import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RequestId } from '../events/index.ts';
import type { Answering, AnswerOrigin } from '../requests/answer.ts';
import type { AcceptChat, Accepted } from './accept-chat.ts';
import { collectAnswer, wholeCompletion } from './completion.ts';
import type { GatewayError } from './error-catalogue.ts';
import { sendError, sendJson } from './http-reply.ts';
import { bodyOf, envelopeOf } from './http-request.ts';
import { eventStreamHeaders, readOpening, streamAnswer } from './stream-answer.ts';

export type ChatRouteParts = {
  readonly accept: AcceptChat;
  readonly answering: Answering;
  readonly logger: Logger;
  /** A reader who takes nothing for so long is cut off. */
  readonly idleMs: number;
  /** Callers whose answers are under way; aborting one ends its answer. */
  readonly underWay: Set<AbortController>;
  readonly isClosing: () => boolean;
};

/** POST /v1/chat/completions. */
export const chatRoute =
  (parts: ChatRouteParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const accepted = parts.accept(envelopeOf(request), bodyOf(request));
    reply.header('x-request-id', accepted.kind === 'refused' ? accepted.requestId : accepted.request.requestId);
    if (accepted.kind === 'refused') {
      sendError(reply, accepted.error, false);
      return;
    }
    if (parts.isClosing()) {
      sendError(reply, closing, true);
      return;
    }
    const caller = new AbortController();
    parts.underWay.add(caller);
    // It also comes after an answer; an abort costs as much as parsing a request, so it is kept for callers who went away.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) caller.abort();
    });
    try {
      await (accepted.request.streamed ? answerStreamed : answerWhole)(parts, accepted, reply, caller.signal);
    } finally {
      parts.underWay.delete(caller);
    }
  };

type Admitted = Extract<Accepted, { kind: 'accepted' }>;

const answerWhole = async ({ answering }: ChatRouteParts, { request }: Admitted, reply: FastifyReply, signal: AbortSignal) => {
  const answer = await collectAnswer(answering.answer(request, signal));
  reply.headers(answerHeaders(request.requestId, answer.origin, answer.kind === 'whole' && answer.finished.repeated));
  if (answer.kind === 'failed') sendError(reply, answer.error, request.retryable);
  else sendJson(reply, 200, wholeCompletion(answer, Date.now()));
};

const answerStreamed = async (route: ChatRouteParts, { request, includeUsage }: Admitted, reply: FastifyReply, signal: AbortSignal) => {
  const parts = route.answering.answer(request, signal)[Symbol.asyncIterator]();
  try {
    const opening = await readOpening(parts);
    const headers = answerHeaders(request.requestId, opening.origin, opening.origin?.repeated === true);
    if (opening.kind === 'failed') {
      sendError(reply.headers(headers), opening.error, request.retryable);
      return;
    }
    reply.hijack();
    reply.raw.writeHead(200, { ...eventStreamHeaders, ...headers });
    await streamAnswer(reply.raw, parts, opening, { includeUsage, idleMs: route.idleMs, signal });
  } catch (error) {
    if (!reply.raw.headersSent) throw error;
    // Cut off rather than ended: no reader can take what came for the whole answer.
    route.logger.error({ err: error, requestId: request.requestId }, 'a stream broke inside');
    reply.raw.destroy();
  } finally {
    // Whoever answers learns that nobody reads on, whichever way this ended.
    await parts.return?.();
  }
};

const answerHeaders = (requestId: RequestId, origin: AnswerOrigin | null, repeated: boolean): Record<string, string> => ({
  'x-request-id': requestId,
  ...(origin === null ? {} : { 'x-switchyard-arm': origin.arm, 'x-switchyard-model': origin.model, 'x-switchyard-cache': origin.cache }),
  ...(origin?.simulated === true ? { 'x-switchyard-simulated': 'true' } : {}),
  ...(repeated ? { 'x-switchyard-repeated': 'true' } : {}),
});

const closing: GatewayError = { code: 'unavailable', message: 'This process is shutting down; try again.', retryAfterMs: 1_000 };
