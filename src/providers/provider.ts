import type { RequestId } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import type { ChatMessage } from '../requests/chat-request.ts';
import type { Usage } from '../requests/answer.ts';

/**
 * One configured model behind one port; it knows the model's name at its provider. Contract: `answer` yields any number of `text` and
 * `tool-calls`, then exactly one `end` or `error`, and returns. It does not throw. An answer whose transport ended before the provider said so is an `error` of code `answer_truncated`, never an `end`.
 * Aborting the signal stops the call, closes the connection and ends the iteration with an `error` of code `cancelled`.
 */
export type Provider = {
  readonly id: string;
  /** True when no real model answers; it shows wherever the answer shows. */
  readonly simulated: boolean;
  /** Of providers that know what their answers cost: no answer costs more. */
  readonly dearestAnswerNanoUsd?: number;
  readonly answer: (call: ProviderCall) => AsyncIterable<ProviderPart>;
  readonly close: () => Promise<void>;
};

export type ProviderCall = {
  readonly requestId: RequestId;
  readonly messages: readonly ChatMessage[];
  readonly parameters: JsonObject;
  /** Ask the provider for a stream; text comes in one piece otherwise. */
  readonly streamed: boolean;
  readonly deadlines: Deadlines;
  readonly maxAnswerBytes: number;
  readonly traceparent?: string | undefined;
  readonly signal: AbortSignal;
};

/**
 * All in ms: to the first part, between two parts, and for the whole call. Time in which the reader does not ask for the next part does not
 * count towards `idleMs`. An answer that is not streamed comes in one piece at its end: only `totalMs` holds for it.
 */
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
      /** Set by recorded and simulated providers: the judged quality, 0..1,000,000. It enters the yard as feedback of kind `measured`. */
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
