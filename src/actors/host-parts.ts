import type { Logger } from 'pino';
import type { AnswerStore } from '../bus/answer-store.ts';
import type { EventLog } from '../bus/event-log.ts';
import type { Messenger } from '../bus/messenger.ts';
import type { Config, ModelConfig, RewardConfig } from '../config/schema.ts';
import type { DataOf, EventContext, RequestFeatures, RequestId, Sequence, Tenant } from '../events/index.ts';
import type { Budget } from '../domain/routing/pacing.ts';
import type { Provider } from '../providers/provider.ts';
import type { AnswerPart } from '../requests/answer.ts';
import type { ChatRequest } from '../requests/chat-request.ts';
import type { Appender } from './appender.ts';
import type { CacheCommand, CacheReply } from './cache.ts';
import type { Delivery } from './delivery.ts';
import type { Shadower } from './shadow.ts';
import type { StreamerCommand, StreamerReply } from './streamer.ts';

/** What the router is asked for one request; everything that it needs, and nothing of the text. */
export type RouteQuestion = {
  readonly tenant: Tenant;
  readonly requestId: RequestId;
  readonly requestedModel: string;
  readonly features: RequestFeatures;
  readonly maxOutputTokens: number;
  readonly needs: DataOf<'route.decided'>['needs'];
  /** Keyed hash of the conversation; null when the caller named none. */
  readonly conversation: string | null;
  readonly decidedAtMs: number;
  /** Uniform in [0, 1). */
  readonly draw: number;
};

/** What the router adds to a decision; the host knows the rest. */
export type RouteChoice = Omit<
  DataOf<'route.decided'>,
  'question' | 'requestedModel' | 'features' | 'cache' | 'streamed' | 'host' | 'retryable' | 'deadline'
>;

export type RouteReply =
  | { readonly kind: 'chosen'; readonly choice: RouteChoice }
  | { readonly kind: 'no-candidate'; readonly exclusions: readonly DataOf<'route.decided'>['exclusions'][number][] }
  | { readonly kind: 'unknown-model' }
  /** The log already holds a decision for this request. */
  | { readonly kind: 'known'; readonly sequence: Sequence };

/** What the log says of a request so far. */
export type KnownRequest = {
  readonly decisionSequence: Sequence;
  readonly outcomeSequence: Sequence | null;
};

/** The router, in this process or in another. Rejects with a TransientError when it cannot answer. */
export type RouterFace = {
  readonly route: (question: RouteQuestion) => Promise<RouteReply>;
  readonly find: (tenant: Tenant, requestId: RequestId) => Promise<KnownRequest | null>;
};

/** The cache, in this process or in another. Rejects with a TransientError when it cannot answer: the request then goes on without it. */
export type CacheFace = { readonly ask: (command: CacheCommand) => Promise<CacheReply> };

export type StreamerFace = { readonly ask: (command: StreamerCommand) => StreamerReply };

export type ModelAtWork = { readonly config: ModelConfig; readonly provider: Provider };

/** What a request host is made of. */
export type HostParts = {
  /** Names this process, newly at each start. */
  readonly instance: string;
  readonly config: Config;
  readonly router: RouterFace;
  readonly cache: CacheFace;
  readonly streamer: StreamerFace;
  /** Null where nothing is compared. */
  readonly shadower: Shadower | null;
  readonly models: ReadonlyMap<string, ModelAtWork>;
  readonly append: Appender;
  readonly log: EventLog;
  readonly answers: AnswerStore;
  readonly messenger: Messenger;
  readonly delivery: Delivery;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** By the clock of the log, which all processes share. */
  readonly logNowMs: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Keyed hash of a text: 32 hexadecimal digits. */
  readonly keyedHash: (text: string) => string;
};

/** An answer as the host makes it. */
export type AnswerParts = AsyncGenerator<AnswerPart, void, void>;

/** One request on its way through the host. */
export type Passage = {
  readonly request: ChatRequest;
  readonly question: string;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
};

/** What events need to know of a request; enough for one whose text is gone. */
export type RecordedRequest = Pick<ChatRequest, 'tenant' | 'requestId' | 'traceparent'>;

export const eventContext = (
  parts: Pick<HostParts, 'instance' | 'nowMs'>,
  request: RecordedRequest,
  causationId?: string,
): EventContext => ({
  tenant: request.tenant,
  requestId: request.requestId,
  source: `switchyard/${parts.instance}`,
  timeMs: parts.nowMs(),
  causationId,
  traceparent: request.traceparent,
});

export const budgetOf = (config: Config, tenant: Tenant): Budget =>
  config.tenants.find((entry) => entry.id === tenant)?.budget ?? config.budget;

export const rewardConfigOf = (config: Config, tenant: Tenant): RewardConfig => {
  const own = config.tenants.find((entry) => entry.id === tenant)?.weights;
  return own === undefined ? config.reward : { ...config.reward, weights: own };
};
