-- One row for each routing decision, with all that it was made from: what was believed of each candidate, what was added to it, the least probability of each, and the draw.
-- What was believed is a Beta distribution, a normal one, or nothing: parameters that a candidate does not have are NULL.
CREATE OR REPLACE VIEW decisions AS
WITH
    JSONExtract(
        data, 'candidates',
        'Array(Tuple(arm String, model String, alpha Nullable(Float64), beta Nullable(Float64), posterior Tuple(family String, alpha Nullable(Float64), beta Nullable(Float64), mean Nullable(Float64), sd Nullable(Float64)), expectedCostNanoUsd Nullable(Float64), expectedLatencyMs Nullable(Float64), adjustment Float64, floor Nullable(Float64), propensity Float64))'
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
    JSONExtract(data, 'pacing', 'usdPerRequest', 'Nullable(Float64)') AS usd_per_request,
    JSONExtract(data, 'pacing', 'latencyTargetMs', 'Nullable(Float64)') AS latency_target_ms,
    reward_per_usd,
    reward_per_second,
    JSONExtract(data, 'weights', 'Tuple(success Float64, streaming Float64, cache Float64, cost Float64)') AS weights,
    JSONExtract(data, 'needs', 'Array(String)') AS needs,
    JSONExtractUInt(data, 'maxOutputTokens') AS max_output_tokens,
    cache_state AS cache,
    streamed,
    conversation,
    JSONExtractString(data, 'conversation', 'previousArm') AS previous_arm,
    candidates.arm AS candidate_arms,
    candidates.model AS candidate_models,
    candidates.propensity AS candidate_propensities,
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
    JSONExtractUInt(data, 'features', 'promptCharacters') AS prompt_characters,
    JSONExtractUInt(data, 'features', 'messageCount') AS message_count,
    toBool(JSONExtractBool(data, 'features', 'hasCode')) AS has_code,
    toBool(JSONExtractBool(data, 'features', 'hasMathematics')) AS has_mathematics,
    toBool(JSONExtractBool(data, 'features', 'isQuestion')) AS is_question,
    id AS event_id
FROM events
WHERE type = 'route.decided';

-- feedback_received counts what was said, feedback_count what of it counted: each judgement that was not rejected made one revision.
-- feedback_score is the score that the reward rests on, whatever else was said: the success part of the last revision.
CREATE OR REPLACE VIEW requests AS
SELECT
    tenant,
    request_id,
    multiIf(countIf(type = 'route.decided') > 0, 'routed', countIf(type = 'cache.hit') > 0, 'cached', 'refused') AS path,
    multiIf(
        countIf(type IN ('response.completed', 'response.failed')) = 0, 'open',
        argMaxIf(outcome, sequence, type IN ('response.completed', 'response.failed'))) AS outcome,
    argMaxIf(arm, (sequence, event_index), type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed') AND arm != '') AS arm,
    argMaxIf(model, (sequence, event_index), type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed') AND model != '') AS model,
    minIf(time, type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed')) AS started_at,
    maxIf(time, type IN ('response.completed', 'response.failed')) AS ended_at,
    maxIf(propensity, type = 'route.decided') AS propensity,
    maxIf(latency_ms, type IN ('response.completed', 'response.failed')) AS latency_ms,
    maxIf(first_token_ms, type = 'response.completed') AS first_token_ms,
    maxIf(longest_stall_ms, type = 'response.completed') AS longest_stall_ms,
    maxIf(prompt_tokens, type IN ('response.completed', 'response.failed')) AS prompt_tokens,
    maxIf(completion_tokens, type IN ('response.completed', 'response.failed')) AS completion_tokens,
    maxIf(cost_nano_usd, type IN ('response.completed', 'response.failed')) AS cost_nano_usd,
    maxIf(streamed, type IN ('response.completed', 'response.failed')) AS streamed,
    maxIf(simulated, type IN ('response.completed', 'response.failed')) AS simulated,
    if(countIf(type = 'reward.recorded') = 0, NULL, argMaxIf(reward_micro, revision, type = 'reward.recorded') / 1e6) AS reward,
    argMaxIf(success_micro, revision, type = 'reward.recorded') / 1e6 AS success,
    argMaxIf(streaming_micro, revision, type = 'reward.recorded') / 1e6 AS streaming,
    argMaxIf(cache_micro, revision, type = 'reward.recorded') / 1e6 AS cache,
    argMaxIf(cost_micro, revision, type = 'reward.recorded') / 1e6 AS cost,
    countIf(type = 'feedback.received') AS feedback_received,
    countIf(type = 'reward.recorded' AND cause = 'feedback') AS feedback_count,
    if(countIf(type = 'reward.recorded' AND cause = 'feedback') = 0, NULL, argMaxIf(success_micro, revision, type = 'reward.recorded') / 1e6) AS feedback_score,
    countIf(type = 'route.decided') AS decision_events,
    countIf(type = 'cache.hit') AS cache_hit_events,
    countIf(type IN ('response.completed', 'response.failed')) AS end_events,
    countIf(type = 'reward.recorded' AND revision = 0) AS first_reward_events
FROM events
WHERE type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed', 'reward.recorded', 'feedback.received')
GROUP BY tenant, request_id
HAVING decision_events + cache_hit_events + end_events > 0;
