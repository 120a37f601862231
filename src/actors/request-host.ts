import { TransientError } from '../errors.ts';
import { canonicalQuestion } from '../domain/cache/key.ts';
import { extractFeatures } from '../domain/routing/features/extract.ts';
import type { AnswerError, Answering, AnswerPart } from '../requests/answer.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import { decide } from './decide.ts';
import type { AnswerParts, HostParts, Passage } from './host-parts.ts';
import { resume } from './resume.ts';
import { serveFromCache } from './serve-from-cache.ts';
import { serveFromProvider } from './serve-from-provider.ts';

/**
 * Takes one request through the yard: cache, router, provider, log. It holds no judgement of its own and no state beyond what is under way.
 *
 * 1. Nothing is done that the log does not hold: the decision is appended before the provider is called, the outcome before the caller is told of the end.
 * 2. What the log holds wins: an append that finds a duplicate follows the event that is there (resume.ts).
 * 3. A request id is answered once: retries join the attempt that is under way, or are given the recorded answer.
 */
export type RequestHost = Answering & {
  /** Resolves when nothing is under way any more, or after the timeout with the number that is. */
  readonly idle: (timeoutMs: number) => Promise<number>;
};

export const createRequestHost = (parts: HostParts): RequestHost => {
  // Requests with an id of the caller's, so that a second attempt in this process waits for the first. At most `requests.concurrency`.
  const attempts = new Map<string, Promise<void>>();
  // Questions being answered by a provider, so that the same question at the same moment waits for the cache. At most `requests.concurrency`.
  const flights = new Map<string, Promise<void>>();
  let idleListeners: (() => void)[] = [];
  let count = 0;

  async function* answer(request: ChatRequest, signal: AbortSignal): AnswerParts {
    const attemptKey = `${request.tenant}:${request.requestId}`;
    for (let same = attempts.get(attemptKey); same !== undefined; same = attempts.get(attemptKey)) {
      await settled(same, signal, request.receivedAtMs + parts.config.requests.deadlineMs - parts.nowMs());
      if (signal.aborted) return yield failed(callerGone);
      if (attempts.get(attemptKey) === same) return yield failed(underWay);
    }
    const begun = parts.streamer.ask({ type: 'begin', tenant: request.tenant, requestId: request.requestId });
    if (begun.kind !== 'begun')
      return yield failed({
        code: 'overloaded',
        message: 'Too many requests are under way in this process; try again.',
        retryAfterMs: 1_000,
      });
    const attempt = Promise.withResolvers<void>();
    if (request.retryable) attempts.set(attemptKey, attempt.promise);
    count++;
    try {
      yield* serve(request, signal);
    } finally {
      if (request.retryable) attempts.delete(attemptKey);
      attempt.resolve();
      endInRegister(request);
      if (--count === 0) for (const listener of idleListeners.splice(0)) listener();
    }
  }

  /** A register that has died forgets by itself; the answer has been told and must not fail of it. */
  const endInRegister = ({ tenant, requestId }: ChatRequest) => {
    try {
      parts.streamer.ask({ type: 'end', tenant, requestId });
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
    }
  };

  async function* serve(request: ChatRequest, signal: AbortSignal): AnswerParts {
    const question = parts.keyedHash(canonicalQuestion(request));
    const passage: Passage = { request, question, signal, deadlineMs: request.receivedAtMs + parts.config.requests.deadlineMs };
    const looksUp = parts.config.cache.enabled && request.caching === 'use';

    let waited = false;
    while (looksUp) {
      const served = yield* serveFromCache(parts, passage, waited);
      if (served.kind === 'served') return;
      if (served.kind === 'recorded') return yield* resume(parts, passage, served.sequence);
      const flight = flights.get(question);
      if (flight === undefined || waited) break;
      // At most half of its time: the rest is for a model of its own.
      await settled(flight, signal, (passage.deadlineMs - parts.nowMs()) / 2);
      if (signal.aborted) return yield failed(callerGone);
      waited = true;
      // The answer enters the cache behind what others have appended before it.
      await parts.delivery.catchUp().catch(() => undefined);
    }

    const flight = Promise.withResolvers<void>();
    const leads = looksUp && !flights.has(question);
    if (leads) flights.set(question, flight.promise);
    try {
      const decided = await decide(parts, passage, extractFeatures(request));
      switch (decided.kind) {
        case 'decided':
          return yield* serveFromProvider(parts, passage, decided.event);
        case 'recorded':
          return yield* resume(parts, passage, decided.sequence);
        case 'refused':
          return yield failed(decided.error);
      }
    } finally {
      if (leads) flights.delete(question);
      flight.resolve();
    }
  }

  return {
    async *answer(request, signal) {
      try {
        yield* answer(request, signal);
      } catch (error) {
        parts.logger[error instanceof TransientError ? 'warn' : 'error'](
          { err: error, requestId: request.requestId, tenant: request.tenant },
          'request failed',
        );
        yield failed(errorOf(error));
      }
    },
    idle: async (timeoutMs) => {
      if (count > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        idleListeners.push(resolve);
        const timer = setTimeout(resolve, timeoutMs);
        await promise;
        clearTimeout(timer);
        idleListeners = idleListeners.filter((listener) => listener !== resolve);
      }
      return count;
    },
  };
};

const failed = (error: AnswerError): AnswerPart => ({ kind: 'failed', error });

const errorOf = (error: unknown): AnswerError =>
  error instanceof TransientError
    ? {
        code: 'unavailable',
        message: `The event log or an actor cannot be reached (${error.code}); try again.`,
        retryAfterMs: error.retryAfterMs,
      }
    : { code: 'interrupted', message: 'The request could not be finished because of an internal error; it is in the log of the process.' };

const callerGone: AnswerError = { code: 'cancelled', message: 'The caller went away.' };

const underWay: AnswerError = {
  code: 'unavailable',
  message: 'An earlier attempt with this request id is still under way; try again.',
  retryAfterMs: 1_000,
};

/** Waits for the promise, the signal or the end of a time, whichever is first. */
const settled = async (promise: Promise<void>, signal: AbortSignal, timeoutMs: number): Promise<void> => {
  if (signal.aborted) return;
  const { promise: left, resolve } = Promise.withResolvers<void>();
  const onAbort = () => {
    resolve();
  };
  const timer = setTimeout(resolve, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  await Promise.race([promise, left]);
  signal.removeEventListener('abort', onAbort);
  clearTimeout(timer);
};
