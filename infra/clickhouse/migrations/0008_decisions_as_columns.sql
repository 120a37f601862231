-- What a decision was drawn from, in columns of its own: evaluation reads millions of them, and taking them out of `data` was most of its time.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS candidate_arms Array(LowCardinality(String)) COMMENT 'route.decided: arms that could be drawn',
    ADD COLUMN IF NOT EXISTS candidate_propensities Array(Float64) COMMENT 'route.decided: their probabilities',
    ADD COLUMN IF NOT EXISTS broken_arms Array(LowCardinality(String)) COMMENT 'route.decided: arms whose circuit breaker was open',
    ADD COLUMN IF NOT EXISTS needs Array(LowCardinality(String)) COMMENT 'route.decided: what the request asks of a model: tools, json, images',
    ADD COLUMN IF NOT EXISTS max_output_tokens UInt64 COMMENT 'route.decided: longest answer that the caller asked for; 0: no limit was given',
    ADD COLUMN IF NOT EXISTS weights Tuple(success Float64, streaming Float64, cache Float64, cost Float64) COMMENT 'route.decided: of the parts of the reward',
    ADD COLUMN IF NOT EXISTS usd_per_request Float64 COMMENT 'route.decided: budget of the tenant; 0 when there is none',
    ADD COLUMN IF NOT EXISTS latency_target_ms Float64 COMMENT 'route.decided: its objective for the latency; 0 when there is none',
    ADD COLUMN IF NOT EXISTS previous_arm LowCardinality(String) COMMENT 'route.decided: arm that answered before in this conversation; empty when none is known',
    ADD COLUMN IF NOT EXISTS features Tuple(version UInt8, prompt_characters UInt64, prompt_tokens_estimate UInt64, message_count UInt64, conversation_depth UInt64, has_system_prompt Bool, last_message_characters UInt64, has_code Bool, has_mathematics Bool, is_question Bool, requested_tokens UInt64, requested_format LowCardinality(String), opening UInt16, ending UInt16, system Int32) COMMENT 'route.decided: what policies saw of the request, beside request_kind, language and complexity; system -1: none';

-- The same columns in the same order: rows are copied over as they are.
ALTER TABLE events_orphaned
    ADD COLUMN IF NOT EXISTS candidate_arms Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS candidate_propensities Array(Float64),
    ADD COLUMN IF NOT EXISTS broken_arms Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS needs Array(LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS max_output_tokens UInt64,
    ADD COLUMN IF NOT EXISTS weights Tuple(success Float64, streaming Float64, cache Float64, cost Float64),
    ADD COLUMN IF NOT EXISTS usd_per_request Float64,
    ADD COLUMN IF NOT EXISTS latency_target_ms Float64,
    ADD COLUMN IF NOT EXISTS previous_arm LowCardinality(String),
    ADD COLUMN IF NOT EXISTS features Tuple(version UInt8, prompt_characters UInt64, prompt_tokens_estimate UInt64, message_count UInt64, conversation_depth UInt64, has_system_prompt Bool, last_message_characters UInt64, has_code Bool, has_mathematics Bool, is_question Bool, requested_tokens UInt64, requested_format LowCardinality(String), opening UInt16, ending UInt16, system Int32);

-- Rows that were written before. Only those that have nothing there yet: a migration that was cut short goes on where it was.
ALTER TABLE events UPDATE
    candidate_arms = JSONExtract(data, 'candidates', 'Array(Tuple(arm String))').arm,
    candidate_propensities = JSONExtract(data, 'candidates', 'Array(Tuple(propensity Float64))').propensity,
    broken_arms = arrayFilter((arm, reason) -> reason = 'breaker-open', JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))').arm, JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))').reason),
    needs = JSONExtract(data, 'needs', 'Array(String)'),
    max_output_tokens = JSONExtractUInt(data, 'maxOutputTokens'),
    weights = JSONExtract(data, 'weights', 'Tuple(success Float64, streaming Float64, cache Float64, cost Float64)'),
    usd_per_request = JSONExtractFloat(data, 'pacing', 'usdPerRequest'),
    latency_target_ms = JSONExtractFloat(data, 'pacing', 'latencyTargetMs'),
    previous_arm = JSONExtractString(data, 'conversation', 'previousArm'),
    features = tuple(
        JSONExtractUInt(data, 'features', 'version'), JSONExtractUInt(data, 'features', 'promptCharacters'), JSONExtractUInt(data, 'features', 'promptTokensEstimate'),
        JSONExtractUInt(data, 'features', 'messageCount'), JSONExtractUInt(data, 'features', 'conversationDepth'), JSONExtractBool(data, 'features', 'hasSystemPrompt'),
        JSONExtractUInt(data, 'features', 'lastMessageCharacters'), JSONExtractBool(data, 'features', 'hasCode'), JSONExtractBool(data, 'features', 'hasMathematics'),
        JSONExtractBool(data, 'features', 'isQuestion'), JSONExtractUInt(data, 'features', 'requestedTokens'), JSONExtractString(data, 'features', 'requestedFormat'),
        JSONExtractUInt(data, 'features', 'opening'), JSONExtractUInt(data, 'features', 'ending'), coalesce(JSONExtract(data, 'features', 'system', 'Nullable(Int32)'), -1))
WHERE type = 'route.decided' AND features.version = 0
SETTINGS mutations_sync = 1;

ALTER TABLE events_orphaned UPDATE
    candidate_arms = JSONExtract(data, 'candidates', 'Array(Tuple(arm String))').arm,
    candidate_propensities = JSONExtract(data, 'candidates', 'Array(Tuple(propensity Float64))').propensity,
    broken_arms = arrayFilter((arm, reason) -> reason = 'breaker-open', JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))').arm, JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))').reason),
    needs = JSONExtract(data, 'needs', 'Array(String)'),
    max_output_tokens = JSONExtractUInt(data, 'maxOutputTokens'),
    weights = JSONExtract(data, 'weights', 'Tuple(success Float64, streaming Float64, cache Float64, cost Float64)'),
    usd_per_request = JSONExtractFloat(data, 'pacing', 'usdPerRequest'),
    latency_target_ms = JSONExtractFloat(data, 'pacing', 'latencyTargetMs'),
    previous_arm = JSONExtractString(data, 'conversation', 'previousArm'),
    features = tuple(
        JSONExtractUInt(data, 'features', 'version'), JSONExtractUInt(data, 'features', 'promptCharacters'), JSONExtractUInt(data, 'features', 'promptTokensEstimate'),
        JSONExtractUInt(data, 'features', 'messageCount'), JSONExtractUInt(data, 'features', 'conversationDepth'), JSONExtractBool(data, 'features', 'hasSystemPrompt'),
        JSONExtractUInt(data, 'features', 'lastMessageCharacters'), JSONExtractBool(data, 'features', 'hasCode'), JSONExtractBool(data, 'features', 'hasMathematics'),
        JSONExtractBool(data, 'features', 'isQuestion'), JSONExtractUInt(data, 'features', 'requestedTokens'), JSONExtractString(data, 'features', 'requestedFormat'),
        JSONExtractUInt(data, 'features', 'opening'), JSONExtractUInt(data, 'features', 'ending'), coalesce(JSONExtract(data, 'features', 'system', 'Nullable(Int32)'), -1))
WHERE type = 'route.decided' AND features.version = 0
SETTINGS mutations_sync = 1;

-- One row for each routing decision, with all that it was made from: what was believed of each candidate, what was added to it, the least probability of each, and the draw.
-- What was believed is a Beta distribution, a normal one, or nothing: parameters that a candidate does not have are NULL.
CREATE OR REPLACE VIEW decisions AS
WITH
    JSONExtract(
        data, 'candidates',
        'Array(Tuple(model String, alpha Nullable(Float64), beta Nullable(Float64), posterior Tuple(family String, alpha Nullable(Float64), beta Nullable(Float64), mean Nullable(Float64), sd Nullable(Float64)), expectedCostNanoUsd Nullable(Float64), expectedLatencyMs Nullable(Float64), adjustment Float64, floor Nullable(Float64)))'
    ) AS candidates,
    -- Decisions of version 1 have the parameters in the candidate itself, and one floor for all.
    arrayMap(c -> coalesce(c.posterior.alpha, c.alpha), candidates) AS alphas,
    arrayMap(c -> coalesce(c.posterior.beta, c.beta), candidates) AS betas
SELECT
    sequence,
    stream_epoch,
    time,
    tenant,
    request_id,
    requested_model,
    arm,
    model,
    propensity,
    draw,
    JSONExtractFloat(data, 'floor') AS floor,
    policy_id,
    policy_version,
    canary,
    trial,
    state_sequence,
    decided_at,
    nullIf(events.usd_per_request, 0) AS usd_per_request,
    nullIf(events.latency_target_ms, 0) AS latency_target_ms,
    reward_per_usd,
    reward_per_second,
    weights,
    needs,
    max_output_tokens,
    cache_state AS cache,
    streamed,
    conversation,
    previous_arm,
    candidate_arms,
    candidates.model AS candidate_models,
    candidate_propensities,
    arrayMap(c -> coalesce(c.floor, floor), candidates) AS candidate_floors,
    arrayMap(c -> multiIf(c.posterior.family != '', c.posterior.family, c.alpha IS NOT NULL, 'beta', ''), candidates) AS candidate_families,
    alphas AS candidate_alphas,
    betas AS candidate_betas,
    arrayMap((c, alpha, beta) -> coalesce(alpha / (alpha + beta), c.posterior.mean), candidates, alphas, betas) AS candidate_means,
    arrayMap((c, alpha, beta) -> coalesce(sqrt(alpha * beta / (alpha + beta + 1)) / (alpha + beta), c.posterior.sd), candidates, alphas, betas) AS candidate_sds,
    candidates.adjustment AS candidate_adjustments,
    candidates.expectedCostNanoUsd AS candidate_expected_costs_nano_usd,
    candidates.expectedLatencyMs AS candidate_expected_latencies_ms,
    JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))') AS exclusions,
    request_kind,
    language,
    complexity,
    features.prompt_characters AS prompt_characters,
    features.message_count AS message_count,
    features.has_code AS has_code,
    features.has_mathematics AS has_mathematics,
    features.is_question AS is_question,
    id AS event_id
FROM events
WHERE type = 'route.decided';
