-- Shadows: requests whose question was, after they had been answered, also sent to a second arm. Their figures are in `data` alone.

-- One row for each request that was also sent to a second arm.
CREATE OR REPLACE VIEW shadows AS
WITH JSONExtract(
    data,
    'Tuple(streamed Bool, share Float64, propensity Float64, similarity Nullable(Float64), similarityMethod String, reservedNanoUsd UInt64, overrunNanoUsd UInt64,
        delivered Tuple(arm String, model String, outcome String, latencyMs Float64, firstTokenMs Nullable(Float64), promptTokens UInt64, completionTokens UInt64, costNanoUsd UInt64, answerCharacters UInt64, scoreMicro Nullable(UInt32), simulated Bool),
        shadow Tuple(arm String, model String, outcome String, detail Nullable(String), latencyMs Float64, firstTokenMs Nullable(Float64), promptTokens UInt64, completionTokens UInt64, costNanoUsd UInt64, answerCharacters UInt64, scoreMicro Nullable(UInt32), simulated Bool))'
) AS facts
SELECT
    sequence,
    time,
    tenant,
    request_id,
    facts.delivered.arm AS delivered_arm,
    facts.shadow.arm AS shadow_arm,
    facts.delivered.model AS delivered_model,
    facts.shadow.model AS shadow_model,
    facts.share AS share,
    facts.propensity AS propensity,
    facts.streamed AS streamed,
    facts.delivered.outcome AS delivered_outcome,
    facts.shadow.outcome AS shadow_outcome,
    facts.shadow.detail AS shadow_detail,
    facts.delivered.latencyMs AS delivered_latency_ms,
    facts.shadow.latencyMs AS shadow_latency_ms,
    facts.delivered.firstTokenMs AS delivered_first_token_ms,
    facts.shadow.firstTokenMs AS shadow_first_token_ms,
    facts.delivered.costNanoUsd AS delivered_cost_nano_usd,
    facts.shadow.costNanoUsd AS shadow_cost_nano_usd,
    facts.delivered.promptTokens AS delivered_prompt_tokens,
    facts.shadow.promptTokens AS shadow_prompt_tokens,
    facts.delivered.completionTokens AS delivered_completion_tokens,
    facts.shadow.completionTokens AS shadow_completion_tokens,
    facts.delivered.answerCharacters AS delivered_characters,
    facts.shadow.answerCharacters AS shadow_characters,
    facts.delivered.scoreMicro / 1e6 AS delivered_score,
    facts.shadow.scoreMicro / 1e6 AS shadow_score,
    facts.delivered.simulated AS delivered_simulated,
    facts.shadow.simulated AS shadow_simulated,
    facts.similarity AS similarity,
    facts.similarityMethod AS similarity_method,
    facts.reservedNanoUsd AS reserved_nano_usd,
    facts.overrunNanoUsd AS overrun_nano_usd,
    id AS event_id
FROM events
WHERE type = 'shadow.completed';

-- Per pair of arms. Means of latency, first token and score are over the requests that both completed, those of cost over all. A difference is shadow less delivered.
CREATE OR REPLACE VIEW shadow_comparison AS
SELECT
    delivered_arm,
    shadow_arm,
    count() AS requests,
    countIf(delivered_outcome != 'completed') AS delivered_failed,
    countIf(shadow_outcome != 'completed') AS shadow_failed,
    countIf(delivered_outcome = 'completed' AND shadow_outcome = 'completed') AS both_completed,
    avgOrNullIf(delivered_latency_ms, delivered_outcome = 'completed' AND shadow_outcome = 'completed') AS delivered_mean_latency_ms,
    avgOrNullIf(shadow_latency_ms, delivered_outcome = 'completed' AND shadow_outcome = 'completed') AS shadow_mean_latency_ms,
    shadow_mean_latency_ms - delivered_mean_latency_ms AS latency_ms_difference,
    avgOrNullIf(delivered_first_token_ms, delivered_first_token_ms IS NOT NULL AND shadow_first_token_ms IS NOT NULL) AS delivered_mean_first_token_ms,
    avgOrNullIf(shadow_first_token_ms, delivered_first_token_ms IS NOT NULL AND shadow_first_token_ms IS NOT NULL) AS shadow_mean_first_token_ms,
    shadow_mean_first_token_ms - delivered_mean_first_token_ms AS first_token_ms_difference,
    avg(delivered_cost_nano_usd) AS delivered_mean_cost_nano_usd,
    avg(shadow_cost_nano_usd) AS shadow_mean_cost_nano_usd,
    shadow_mean_cost_nano_usd - delivered_mean_cost_nano_usd AS cost_nano_usd_difference,
    avgOrNullIf(delivered_score, delivered_score IS NOT NULL AND shadow_score IS NOT NULL) AS delivered_mean_score,
    avgOrNullIf(shadow_score, delivered_score IS NOT NULL AND shadow_score IS NOT NULL) AS shadow_mean_score,
    avgOrNull(similarity) AS mean_similarity,
    sum(shadow_cost_nano_usd) AS shadow_cost_nano_usd_sum
FROM shadows
GROUP BY delivered_arm, shadow_arm;

-- One row for each count of shadows that were due and not made: up to a minute of one process and tenant.
CREATE OR REPLACE VIEW shadow_skips AS
WITH JSONExtract(
    data,
    'Tuple(`from` String, host String, noSecondArm UInt64, cancelled UInt64, concurrency UInt64, rate UInt64, budget UInt64, draining UInt64, unavailable UInt64)'
) AS facts
SELECT
    sequence,
    parseDateTime64BestEffort(facts.from, 3, 'UTC') AS counted_from,
    time AS counted_to,
    tenant,
    facts.host AS host,
    facts.noSecondArm AS no_second_arm,
    facts.cancelled AS cancelled,
    facts.concurrency AS concurrency,
    facts.rate AS rate,
    facts.budget AS budget,
    facts.draining AS draining,
    facts.unavailable AS unavailable
FROM events
WHERE type = 'shadow.skipped';
