import type { RewardWeights } from '../domain/reward/reward.ts';
import type { EvidenceField } from '../domain/routing/sums.ts';
import type { EventType } from '../events/index.ts';

/** The names of what migrations make. */
export const tables = { events: 'events', orphaned: 'events_orphaned', epochs: 'stream_epochs', migrations: 'schema_migrations' } as const;

/** Stands in the column `type` for a message that could not be understood. Not a type of the catalogue. */
export const poisonType = '_poison';

/**
 * A row of the table `events` on its way in: names are those of the columns (infra/clickhouse/migrations says what each holds).
 * A column that is left out becomes 0, false or ''. Times are milliseconds since 1970 in text with three digits after the second.
 */
export type EventRow = RowPosition & RowEnvelope & TypedColumns;

export type RowPosition = {
  readonly stream_epoch: number;
  readonly sequence: number;
  readonly event_index: number;
  readonly stored_at: string;
};

export type RowEnvelope = {
  readonly id: string;
  readonly type: EventType | typeof poisonType;
  readonly schema_version: number;
  readonly source: string;
  readonly subject?: string | undefined;
  readonly time: string;
  readonly tenant: string;
  readonly request_id: string;
  readonly causation_id?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Goes in as an object; the engine keeps its text. */
  readonly data: object;
};

export type TypedColumns = Partial<
  Record<
    | 'arm'
    | 'model'
    | 'requested_model'
    | 'policy_id'
    | 'policy_version'
    | 'cache_state'
    | 'question'
    | 'origin'
    | 'outcome'
    | 'finish_reason'
    | 'cause'
    | 'feedback_id'
    | 'feedback_kind'
    | 'policy_origin'
    | 'request_kind'
    | 'language'
    | 'conversation'
    | 'previous_arm'
    | 'decided_at',
    string
  > &
    Record<'cells' | 'needs' | 'candidate_arms' | 'broken_arms', readonly string[]> &
    Record<'candidate_propensities', readonly number[]> & { readonly weights: RewardWeights; readonly features: FeatureColumns } & Record<
      | 'propensity'
      | 'draw'
      | 'state_sequence'
      | 'latency_ms'
      | 'first_token_ms'
      | 'longest_stall_ms'
      | 'prompt_tokens'
      | 'completion_tokens'
      | 'cost_nano_usd'
      | 'saved_cost_nano_usd'
      | 'cache_age_ms'
      | 'revision'
      | 'reward_micro'
      | 'success_micro'
      | 'streaming_micro'
      | 'cache_micro'
      | 'cost_micro'
      | 'score_micro'
      | 'trial'
      | 'policy_change'
      | 'step'
      | 'reward_per_usd'
      | 'reward_per_second'
      | 'usd_per_request'
      | 'latency_target_ms'
      | 'max_output_tokens'
      | 'complexity'
      | EvidenceColumn,
      number
    > &
    Record<'streamed' | 'simulated' | 'canary', boolean>
>;

/** The elements of the column `features`. `system`: -1 when there is none. */
export type FeatureColumns = Readonly<
  Record<
    | 'version'
    | 'prompt_characters'
    | 'prompt_tokens_estimate'
    | 'message_count'
    | 'conversation_depth'
    | 'last_message_characters'
    | 'requested_tokens'
    | 'opening'
    | 'ending'
    | 'system',
    number
  > &
    Record<'has_system_prompt' | 'has_code' | 'has_mathematics' | 'is_question', boolean> &
    Record<'requested_format', string>
>;

/** What a reward adds to the evidence of an arm, a column for each field. */
export const evidenceColumns = {
  trials: 'evidence_trials',
  measured: 'evidence_measured',
  failures: 'evidence_failures',
  success: 'evidence_success',
  streaming: 'evidence_streaming',
  cache: 'evidence_cache',
  cost: 'evidence_cost',
  successSquare: 'evidence_success_square',
  streamingSquare: 'evidence_streaming_square',
  cacheSquare: 'evidence_cache_square',
  costSquare: 'evidence_cost_square',
  costNanoUsd: 'evidence_cost_nano_usd',
  spendSquare: 'evidence_spend_square',
  latencyMs: 'evidence_latency_ms',
  promptTokens: 'evidence_prompt_tokens',
  completionTokens: 'evidence_completion_tokens',
} as const satisfies Record<EvidenceField, string>;
export type EvidenceColumn = (typeof evidenceColumns)[EvidenceField];
