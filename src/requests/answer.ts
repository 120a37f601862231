import type { FailureCode, RequestId } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import type { ChatRequest } from './chat-request.ts';

/**
 * An answer while it comes. Order: `started` once, then any number of `delta`, then exactly one of `finished` and `failed`. `failed` may come first.
 * `finished` comes only after the log holds the completion: append, then act.
 */
export type AnswerPart =
  | ({ readonly kind: 'started' } & AnswerOrigin)
  | {
      readonly kind: 'delta';
      readonly text: string;
      /** Raw tool call deltas in OpenAI's form. */ readonly toolCalls?: readonly JsonObject[];
    }
  | {
      readonly kind: 'finished';
      readonly finishReason: string;
      readonly usage: Usage;
      readonly costNanoUsd: number;
      /** True when this is the recorded answer of an earlier attempt with the same request id. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'failed'; readonly error: AnswerError };

export type AnswerOrigin = {
  readonly requestId: RequestId;
  readonly arm: string;
  readonly model: string;
  readonly cache: 'hit' | 'miss' | 'bypass';
  readonly simulated: boolean;
  /** True when it is known from the beginning that this is the recorded answer of an earlier attempt, so that a stream can say so in its headers. */
  readonly repeated?: boolean;
};

export type Usage = { readonly promptTokens: number; readonly completionTokens: number };

/** Codes that end a request: the recorded failures, and refusals of which nothing is recorded. The gateway's catalogue gives statuses and texts. */
export type AnswerErrorCode =
  | FailureCode
  /** The log or the queue cannot be reached: nothing was recorded, try again. */
  | 'unavailable'
  /** Too many requests are under way in this process. */
  | 'overloaded'
  | 'model_not_found'
  /** Larger than a message to another process may be. */
  | 'body_too_large'
  /** The request was answered before and its answer is no longer kept. */
  | 'already_answered'
  /** The id belongs to another request: same id, other content. */
  | 'request_id_reused';

export type AnswerError = { readonly code: AnswerErrorCode; readonly message: string; readonly retryAfterMs?: number | undefined };

/** The way into the yard, for gateways. Implemented by the request host in this process, or by a client that reaches one over NATS. */
export type Answering = {
  /**
   * Never throws and never rejects: what goes wrong is a `failed` part. Aborting the signal means that the caller has gone:
   * the provider is stopped and the outcome recorded as `cancelled`.
   */
  readonly answer: (request: ChatRequest, signal: AbortSignal) => AsyncIterable<AnswerPart>;
};
