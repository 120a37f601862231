-- The one table that the projector writes: every event of the log, a row each, in the order of the log. All else is a view of it.
-- A column that an event does not have is 0, false or ''. The whole of `data` is in the column of that name.
-- No partitions: one insert is one part, and so whole or not there at all.
-- The window is what makes the repetition of an insert harmless. Broken parts are set aside instead of keeping the table shut: the projector
-- notices the rows that went with them and reads them from the log again.
CREATE TABLE IF NOT EXISTS events
(
    stream_epoch UInt32 COMMENT 'counts the lives of the log, see stream_epochs',
    sequence UInt64 COMMENT 'position of the message in the log, from 1',
    event_index UInt16 COMMENT 'position of the event in its message, from 0',
    stored_at DateTime64(3, 'UTC') COMMENT 'when the log took the message',
    id String COMMENT 'id of the event',
    type LowCardinality(String) COMMENT 'name of the event; _poison for a message that could not be understood',
    schema_version UInt16 COMMENT 'version of data',
    source LowCardinality(String) COMMENT 'process that made the event',
    subject String COMMENT 'what the event is about',
    time DateTime64(3, 'UTC') COMMENT 'when it happened',
    tenant LowCardinality(String) COMMENT 'whose request it was',
    request_id String COMMENT 'the request',
    causation_id String COMMENT 'id of the event that led to this one',
    traceparent String COMMENT 'W3C trace context',
    data String COMMENT 'all facts of the event, JSON' CODEC(ZSTD(1)),

    arm LowCardinality(String) COMMENT 'arm that was chosen or that made the answer',
    model LowCardinality(String) COMMENT 'its model',
    requested_model LowCardinality(String) COMMENT 'route.decided: what the caller asked for',
    policy_id LowCardinality(String) COMMENT 'route.decided, policy.activated',
    policy_version LowCardinality(String) COMMENT 'route.decided, policy.activated',
    propensity Float64 COMMENT 'route.decided: probability with which the arm was drawn',
    draw Float64 COMMENT 'route.decided: the uniform number that picked it',
    state_sequence UInt64 COMMENT 'route.decided: the state was the fold of the log up to here',
    cache_state LowCardinality(String) COMMENT 'route.decided: why no stored answer was given; cache.hit: how it was found',
    question String COMMENT 'keyed hash of the question: route.decided, cache.hit, cache.stored',
    origin LowCardinality(String) COMMENT 'response.completed: provider or cache',
    outcome LowCardinality(String) COMMENT 'response.completed: completed; response.failed: code of the failure',
    finish_reason LowCardinality(String) COMMENT 'response.completed: why the model stopped',
    latency_ms Float64 COMMENT 'response.*: from the arrival of the request to its end',
    first_token_ms Float64 COMMENT 'response.completed: from the arrival of the request to the first text',
    longest_stall_ms Float64 COMMENT 'response.completed: longest pause between two parts',
    prompt_tokens UInt64 COMMENT 'response.*',
    completion_tokens UInt64 COMMENT 'response.*',
    cost_nano_usd UInt64 COMMENT 'response.*: in 1e-9 dollars',
    saved_cost_nano_usd UInt64 COMMENT 'cache.hit: what the stored answer had cost',
    cache_age_ms Float64 COMMENT 'cache.hit: since the answer was stored',
    streamed Bool COMMENT 'route.decided, response.*: whether the caller asked for a stream',
    simulated Bool COMMENT 'response.*: whether no real model was asked',

    revision UInt16 COMMENT 'reward.recorded: 0 follows the completion, feedback adds one each',
    cause LowCardinality(String) COMMENT 'reward.recorded: what made this revision',
    reward_micro UInt32 COMMENT 'reward.recorded: weighted sum of the parts, in millionths',
    success_micro UInt32 COMMENT 'reward.recorded: part, as it stands after this revision',
    streaming_micro UInt32 COMMENT 'reward.recorded: part',
    cache_micro UInt32 COMMENT 'reward.recorded: part',
    cost_micro UInt32 COMMENT 'reward.recorded: part',
    evidence_trials UInt8 COMMENT 'reward.recorded: what this event adds to the trials of the arm',
    evidence_success Int32 COMMENT 'reward.recorded: what it adds to the sum of this part, in millionths',
    evidence_streaming Int32 COMMENT 'reward.recorded',
    evidence_cache Int32 COMMENT 'reward.recorded',
    evidence_cost Int32 COMMENT 'reward.recorded',

    feedback_id String COMMENT 'feedback.received',
    feedback_kind LowCardinality(String) COMMENT 'feedback.received: thumb, score, outcome or measured',
    score_micro UInt32 COMMENT 'feedback.received: 0 useless to 1,000,000 perfect',

    INDEX request_id_bloom request_id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
ORDER BY (stream_epoch, sequence, event_index)
SETTINGS non_replicated_deduplication_window = 1000, max_suspicious_broken_parts = 1000000, max_suspicious_broken_parts_bytes = 1099511627776;

-- Rows of messages that the log lost in a power cut and whose sequences it gave out again. Nothing is thrown away; nothing counts them.
CREATE TABLE IF NOT EXISTS events_orphaned AS events
ENGINE = MergeTree
ORDER BY (stream_epoch, sequence, event_index)
SETTINGS max_suspicious_broken_parts = 1000000, max_suspicious_broken_parts_bytes = 1099511627776;
