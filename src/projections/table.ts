import type { EventType } from '../events/index.ts';

/** The names of what migrations make. */
export const tables = { events: 'events', orphaned: 'events_orphaned', epochs: 'stream_epochs', migrations: 'schema_migrations' } as const;

/** Stands in the column `type` for a message that could not be understood. Not a type of the catalogue. */
export const poisonType = '_poison';

/**
 * A row of the table `events` on its way in: names are those of the columns (infra/clickhouse/migrations/0001_events.sql says what each holds).
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
    | 'feedback_kind',
    string
  > &
    Record<
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
      | 'evidence_trials'
      | 'evidence_success'
      | 'evidence_streaming'
      | 'evidence_cache'
      | 'evidence_cost'
      | 'score_micro',
      number
    > &
    Record<'streamed' | 'simulated', boolean>
>;
