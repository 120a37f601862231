-- feedback_score is the score that the reward rests on, whatever else was said: an outcome outranks a score, a score a thumb, a thumb a measured judgement, and of equals the last in the log stands.
-- Revisions follow that order already: the success part of the last one is the score that stands. Feedback that was rejected made no revision, and has no part in it.
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
    if(countIf(type = 'reward.recorded' AND cause = 'feedback') = 0, NULL, argMaxIf(success_micro, revision, type = 'reward.recorded') / 1e6) AS feedback_score,
    countIf(type = 'route.decided') AS decision_events,
    countIf(type = 'cache.hit') AS cache_hit_events,
    countIf(type IN ('response.completed', 'response.failed')) AS end_events,
    countIf(type = 'reward.recorded' AND revision = 0) AS first_reward_events
FROM events
WHERE type IN ('route.decided', 'cache.hit', 'response.completed', 'response.failed', 'reward.recorded', 'feedback.received')
GROUP BY tenant, request_id
HAVING decision_events + cache_hit_events + end_events > 0;
