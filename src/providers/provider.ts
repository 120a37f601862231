import type { RequestId } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import type { ChatMessage } from '../requests/chat-request.ts';
import type { Usage } from '../requests/answer.ts';

/**
 * A model behind one port. Contract: `answer` yields any number of `text` and `tool-calls`, then exactly one `end` or `error`, and returns.
 * It does not throw. An answer whose transport ended before the provider said so is an `error` of code `answer_truncated`, never an `end`.
 * Aborting the signal stops the call, closes the connection and ends the iteration with an `error` of code `cancelled`.
 */
export type Provider = {
  readonly id: string;
  /** True when no real model answers; it shows wherever the answer shows. */
  readonly simulated: boolean;
  readonly answer: (call: ProviderCall) => AsyncIterable<ProviderPart>;
  readonly close: () => Promise<void>;
};

export type ProviderCall = {
  readonly requestId: RequestId;
  /** The provider's own name of the model. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly parameters: JsonObject;
  /** Ask the provider for a stream; text comes in one piece otherwise. */
  readonly streamed: boolean;
  readonly deadlines: Deadlines;
  readonly maxAnswerBytes: number;
  readonly traceparent?: string | undefined;
  readonly signal: AbortSignal;
};

/** All in ms: to the first part, between two parts, and for the whole call. */
export type Deadlines = { readonly firstTokenMs: number; readonly idleMs: number; readonly totalMs: number };

export type ProviderPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool-calls'; readonly toolCalls: readonly JsonObject[] }
  | {
      readonly kind: 'end';
      readonly finishReason: string;
      /** Null when the provider sent none: it is then estimated and marked so. */
      readonly usage: Usage | null;
      /** Set by providers that know the cost of this very answer; otherwise the price list of the model counts. */
      readonly costNanoUsd?: number;
      /** Set by recorded providers: the judged quality, 0..1,000,000. It enters the yard as feedback of kind `measured`. */
      readonly measuredScoreMicro?: number;
    }
  | { readonly kind: 'error'; readonly error: ProviderError };

export type ProviderError = {
  readonly code:
    | 'provider_error'
    | 'provider_unavailable'
    | 'provider_rate_limited'
    | 'provider_refused'
    | 'provider_timeout'
    | 'answer_truncated'
    | 'answer_too_large'
    | 'cancelled';
  /** What was seen, without prompt, answer or key. */
  readonly detail: string;
  readonly httpStatus?: number;
  readonly retryAfterMs?: number;
};
