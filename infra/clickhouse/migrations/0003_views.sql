-- What analysts ask. Plain views: there is one table to keep right, and nothing to keep in step with it.
-- Money is in 1e-9 dollars where the name says nano, rewards are 0 to 1.

-- One row for each routing decision.
CREATE OR REPLACE VIEW decisions AS
WITH JSONExtract(data, 'candidates', 'Array(Tuple(arm String, model String, alpha Float64, beta Float64, propensity Float64))') AS candidates
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
    state_sequence,
    cache_state AS cache,
    streamed,
    candidates.arm AS candidate_arms,
    candidates.model AS candidate_models,
    candidates.propensity AS candidate_propensities,
    candidates.alpha AS candidate_alphas,
    candidates.beta AS candidate_betas,
    JSONExtract(data, 'exclusions', 'Array(Tuple(arm String, reason String))') AS exclusions,
    JSONExtractUInt(data, 'features', 'promptCharacters') AS prompt_characters,
    JSONExtractUInt(data, 'features', 'messageCount') AS message_count,
    toBool(JSONExtractBool(data, 'features', 'hasCode')) AS has_code,
    toBool(JSONExtractBool(data, 'features', 'hasMathematics')) AS has_mathematics,
    toBool(JSONExtractBool(data, 'features', 'isQuestion')) AS is_question,
    id AS event_id
FROM events
WHERE type = 'route.decided';

-- One row for each revision of a reward; the last revision of a request is the one that counts.
CREATE OR REPLACE VIEW rewards AS
SELECT
    sequence,
    stream_epoch,
    time,
    tenant,
    request_id,
    arm,
    model,
    revision,
    cause,
    reward_micro / 1e6 AS reward,
    success_micro / 1e6 AS success,
    streaming_micro / 1e6 AS streaming,
    cache_micro / 1e6 AS cache,
    cost_micro / 1e6 AS cost,
    evidence_trials,
    evidence_success,
    evidence_streaming,
    evidence_cache,
    evidence_cost,
    id AS event_id
FROM events
WHERE type = 'reward.recorded';

CREATE OR REPLACE VIEW feedback AS
SELECT
    sequence,
    time,
    tenant,
    request_id,
    feedback_id,
    feedback_kind AS kind,
    score_micro / 1e6 AS score,
    id AS event_id
FROM events
WHERE type = 'feedback.received';

CREATE OR REPLACE VIEW failures AS
SELECT
    sequence,
    time,
    tenant,
    request_id,
    outcome AS code,
    JSONExtractString(data, 'detail') AS detail,
    arm,
    model,
    latency_ms,
    prompt_tokens,
    completion_tokens,
    cost_nano_usd,
    streamed,
    simulated,
    id AS event_id
FROM events
WHERE type = 'response.failed';

CREATE OR REPLACE VIEW cache_hits AS
SELECT
    sequence,
    time,
    tenant,
    request_id,
    JSONExtractString(data, 'originRequestId') AS origin_request_id,
    arm,
    model,
    cache_state AS lookup,
    cache_age_ms AS age_ms,
    saved_cost_nano_usd,
    question,
    id AS event_id
FROM events
WHERE type = 'cache.hit';

-- One row for each request of a tenant: how it was answered and what it was worth. The counts are there so that a request that was decided, ended or
-- rewarded twice, or not at all, shows.
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
    countIf(type = 'feedback.received') AS feedback_count,
    if(countIf(type = 'feedback.received') = 0, NULL, argMaxIf(score_micro, sequence, type = 'feedback.received') / 1e6) AS feedback_score,
    countIf(type = 'route.decided') AS decision_events,
    countIf(type = 'cache.hit') AS cache_hit_events,
    countIf(type IN ('response.completed', 'response.failed')) AS end_events,
    countIf(type = 'reward.recorded' AND revision = 0) AS first_reward_events
FROM events
WHERE type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed', 'reward.recorded', 'feedback.received')
GROUP BY tenant, request_id
HAVING decision_events + cache_hit_events + end_events > 0;

-- Per minute and arm, requests that were routed (not those answered from the cache).
CREATE OR REPLACE VIEW arms_over_time AS
SELECT
    toStartOfMinute(started_at) AS minute,
    arm,
    count() AS requests,
    requests / sum(requests) OVER (PARTITION BY minute) AS share,
    countIf(outcome NOT IN ('completed', 'open')) AS failed,
    avg(propensity) AS mean_propensity,
    avg(reward) AS mean_reward,
    avgIf(success, reward IS NOT NULL) AS mean_success,
    avgIf(streaming, reward IS NOT NULL) AS mean_streaming,
    avgIf(cache, reward IS NOT NULL) AS mean_cache,
    avgIf(cost, reward IS NOT NULL) AS mean_cost,
    sum(cost_nano_usd) AS cost_nano_usd,
    quantileIf(0.5)(latency_ms, outcome = 'completed') AS latency_ms_p50,
    quantileIf(0.95)(latency_ms, outcome = 'completed') AS latency_ms_p95,
    quantileIf(0.99)(latency_ms, outcome = 'completed') AS latency_ms_p99,
    quantileIf(0.5)(first_token_ms, outcome = 'completed') AS first_token_ms_p50,
    quantileIf(0.95)(first_token_ms, outcome = 'completed') AS first_token_ms_p95
FROM requests
WHERE path = 'routed'
GROUP BY minute, arm;

-- Does the book balance? Every request is decided once (or answered from the cache, or refused before a choice), ends once and is rewarded once.
CREATE OR REPLACE VIEW parity AS
SELECT
    tenant,
    count() AS requests,
    countIf(path = 'routed') AS decided,
    countIf(path = 'cached') AS cached,
    countIf(path = 'refused') AS refused,
    countIf(outcome = 'completed') AS completed,
    countIf(outcome NOT IN ('completed', 'open')) AS failed,
    countIf(outcome = 'open') AS open,
    countIf(first_reward_events > 0) AS rewarded,
    countIf(end_events > 0 AND path != 'refused' AND first_reward_events = 0) AS unrewarded,
    countIf(decision_events + cache_hit_events > 1) AS decided_twice,
    countIf(end_events > 1) AS ended_twice,
    countIf(first_reward_events > 1) AS rewarded_twice
FROM requests
GROUP BY tenant;
