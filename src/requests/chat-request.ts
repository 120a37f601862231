import type { RequestId, Tenant } from '../events/index.ts';
import type { JsonObject } from '../json.ts';

/** One message of a conversation, as OpenAI's chat API shapes it; `content` may be text, parts, or null beside tool calls. */
export type ChatMessage = JsonObject & { readonly role: string };

/** A chat request after the border: valid, within limits, with everything that the actors need. */
export type ChatRequest = {
  readonly requestId: RequestId;
  /** True when the caller chose the id: then a retry finds the recorded answer. */
  readonly retryable: boolean;
  readonly tenant: Tenant;
  /** "auto", a model or an arm. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  /** Further parameters of the chat API (temperature, max_tokens, tools, ...), handed to the provider unchanged. */
  readonly parameters: JsonObject;
  readonly streamed: boolean;
  /** use: look up and store; refresh: do not look up, store; no-store: neither. */
  readonly caching: 'use' | 'refresh' | 'no-store';
  /** The caller's name for what the request belongs to; unlike other names only within the tenant. */
  readonly conversation?: string | undefined;
  readonly receivedAtMs: number;
  readonly traceparent?: string | undefined;
};
