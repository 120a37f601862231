-- What the state of the router is summed from, and what analysts ask of policies, budgets and kinds of request.
-- A row that was written before these columns were there has, by the default, what the event says when it is raised to its present version: nothing has to be
-- projected again, and rows of messages that have aged out of the log count as they did.
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS decided_at DateTime64(3, 'UTC') DEFAULT if(type IN ('route.decided', 'reward.recorded'), time, toDateTime64(0, 3, 'UTC')) COMMENT 'route.decided, reward.recorded: when the arm was chosen',
    ADD COLUMN IF NOT EXISTS canary Bool COMMENT 'route.decided, reward.recorded: whether the arm was chosen by the canary',
    ADD COLUMN IF NOT EXISTS trial UInt64 COMMENT 'route.decided, reward.recorded: number of the change that started the canary under which the arm was chosen; 0 when there was none',
    ADD COLUMN IF NOT EXISTS policy_change UInt64 COMMENT 'policy.*: number of the change of policy',
    ADD COLUMN IF NOT EXISTS policy_origin LowCardinality(String) DEFAULT if(type = 'policy.activated', 'configuration', '') COMMENT 'policy.activated: configuration, command or promotion',
    ADD COLUMN IF NOT EXISTS step UInt64 COMMENT 'budget.paced: counts the prices of a tenant',
    ADD COLUMN IF NOT EXISTS reward_per_usd Float64 COMMENT 'route.decided, budget.paced: price of money, the reward that a dollar must bring',
    ADD COLUMN IF NOT EXISTS reward_per_second Float64 COMMENT 'route.decided, budget.paced: price of time, the reward that a second of waiting must bring',
    ADD COLUMN IF NOT EXISTS conversation String COMMENT 'route.decided: keyed hash of the conversation; empty when the caller named none',
    ADD COLUMN IF NOT EXISTS request_kind LowCardinality(String) COMMENT 'route.decided: type and category of what was asked',
    ADD COLUMN IF NOT EXISTS language LowCardinality(String) COMMENT 'route.decided: language of the question',
    ADD COLUMN IF NOT EXISTS complexity Float64 COMMENT 'route.decided: how demanding the question looked, 0 to 1',
    ADD COLUMN IF NOT EXISTS cells Array(LowCardinality(String)) DEFAULT if(evidence_trials = 1 OR cause = 'feedback', ['all'], []) COMMENT 'reward.recorded: kinds of request under which the evidence is filed, from coarse to fine',
    ADD COLUMN IF NOT EXISTS evidence_measured UInt8 COMMENT 'reward.recorded: 1 when cost and latency are part of the evidence',
    ADD COLUMN IF NOT EXISTS evidence_failures UInt8 DEFAULT cause = 'failure' COMMENT 'reward.recorded: 1 when the arm failed',
    ADD COLUMN IF NOT EXISTS evidence_success_square Int32 DEFAULT evidence_success COMMENT 'reward.recorded: what it adds to the sum of the squares of this part, in millionths',
    ADD COLUMN IF NOT EXISTS evidence_streaming_square Int32 DEFAULT evidence_streaming COMMENT 'reward.recorded',
    ADD COLUMN IF NOT EXISTS evidence_cache_square Int32 DEFAULT evidence_cache COMMENT 'reward.recorded',
    ADD COLUMN IF NOT EXISTS evidence_cost_square Int32 DEFAULT evidence_cost COMMENT 'reward.recorded',
    ADD COLUMN IF NOT EXISTS evidence_cost_nano_usd UInt64 COMMENT 'reward.recorded: what it adds to the cost, in 1e-9 dollars',
    ADD COLUMN IF NOT EXISTS evidence_spend_square UInt64 COMMENT 'reward.recorded: square of the cost in hundred-thousandths of a dollar, rounded up',
    ADD COLUMN IF NOT EXISTS evidence_latency_ms UInt64 COMMENT 'reward.recorded: from the arrival of the request to its end, whole ms',
    ADD COLUMN IF NOT EXISTS evidence_prompt_tokens UInt64 COMMENT 'reward.recorded: tokens of the prompt',
    ADD COLUMN IF NOT EXISTS evidence_completion_tokens UInt64 COMMENT 'reward.recorded: tokens of the answer';

-- The same columns in the same order: rows are copied over as they are.
ALTER TABLE events_orphaned
    ADD COLUMN IF NOT EXISTS decided_at DateTime64(3, 'UTC') DEFAULT if(type IN ('route.decided', 'reward.recorded'), time, toDateTime64(0, 3, 'UTC')),
    ADD COLUMN IF NOT EXISTS canary Bool,
    ADD COLUMN IF NOT EXISTS trial UInt64,
    ADD COLUMN IF NOT EXISTS policy_change UInt64,
    ADD COLUMN IF NOT EXISTS policy_origin LowCardinality(String) DEFAULT if(type = 'policy.activated', 'configuration', ''),
    ADD COLUMN IF NOT EXISTS step UInt64,
    ADD COLUMN IF NOT EXISTS reward_per_usd Float64,
    ADD COLUMN IF NOT EXISTS reward_per_second Float64,
    ADD COLUMN IF NOT EXISTS conversation String,
    ADD COLUMN IF NOT EXISTS request_kind LowCardinality(String),
    ADD COLUMN IF NOT EXISTS language LowCardinality(String),
    ADD COLUMN IF NOT EXISTS complexity Float64,
    ADD COLUMN IF NOT EXISTS cells Array(LowCardinality(String)) DEFAULT if(evidence_trials = 1 OR cause = 'feedback', ['all'], []),
    ADD COLUMN IF NOT EXISTS evidence_measured UInt8,
    ADD COLUMN IF NOT EXISTS evidence_failures UInt8 DEFAULT cause = 'failure',
    ADD COLUMN IF NOT EXISTS evidence_success_square Int32 DEFAULT evidence_success,
    ADD COLUMN IF NOT EXISTS evidence_streaming_square Int32 DEFAULT evidence_streaming,
    ADD COLUMN IF NOT EXISTS evidence_cache_square Int32 DEFAULT evidence_cache,
    ADD COLUMN IF NOT EXISTS evidence_cost_square Int32 DEFAULT evidence_cost,
    ADD COLUMN IF NOT EXISTS evidence_cost_nano_usd UInt64,
    ADD COLUMN IF NOT EXISTS evidence_spend_square UInt64,
    ADD COLUMN IF NOT EXISTS evidence_latency_ms UInt64,
    ADD COLUMN IF NOT EXISTS evidence_prompt_tokens UInt64,
    ADD COLUMN IF NOT EXISTS evidence_completion_tokens UInt64;

ALTER TABLE events
    COMMENT COLUMN policy_id 'name of the policy: route.decided, reward.recorded, policy.*',
    COMMENT COLUMN policy_version 'its fingerprint: route.decided, reward.recorded, policy.*';

-- Written out for the rows that are there: a query that filters by `type` before it reads would otherwise work these defaults out without it.
ALTER TABLE events
    MATERIALIZE COLUMN decided_at,
    MATERIALIZE COLUMN policy_origin,
    MATERIALIZE COLUMN cells,
    MATERIALIZE COLUMN evidence_failures,
    MATERIALIZE COLUMN evidence_success_square,
    MATERIALIZE COLUMN evidence_streaming_square,
    MATERIALIZE COLUMN evidence_cache_square,
    MATERIALIZE COLUMN evidence_cost_square
SETTINGS mutations_sync = 1;
ALTER TABLE events_orphaned
    MATERIALIZE COLUMN decided_at,
    MATERIALIZE COLUMN policy_origin,
    MATERIALIZE COLUMN cells,
    MATERIALIZE COLUMN evidence_failures,
    MATERIALIZE COLUMN evidence_success_square,
    MATERIALIZE COLUMN evidence_streaming_square,
    MATERIALIZE COLUMN evidence_cache_square,
    MATERIALIZE COLUMN evidence_cost_square
SETTINGS mutations_sync = 1;

-- One row for each routing decision. What was believed of an arm is a Beta or a normal distribution, or nothing; candidate_alphas and candidate_betas are those of the former.
CREATE OR REPLACE VIEW decisions AS
WITH
    JSONExtract(
        data, 'candidates',
        'Array(Tuple(arm String, model String, alpha Float64, beta Float64, posterior Tuple(alpha Float64, beta Float64, mean Float64, sd Float64), expectedCostNanoUsd Nullable(Float64), expectedLatencyMs Nullable(Float64), adjustment Float64, propensity Float64))'
    ) AS candidates,
    -- Decisions of version 1 have the parameters in the candidate itself.
    arrayMap(c -> c.alpha + c.posterior.alpha, candidates) AS alphas,
    arrayMap(c -> c.beta + c.posterior.beta, candidates) AS betas
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
    reward_per_usd,
    reward_per_second,
    cache_state AS cache,
    streamed,
    conversation,
    JSONExtractString(data, 'conversation', 'previousArm') AS previous_arm,
    candidates.arm AS candidate_arms,
    candidates.model AS candidate_models,
    candidates.propensity AS candidate_propensities,
    alphas AS candidate_alphas,
    betas AS candidate_betas,
    arrayMap((c, alpha, beta) -> if(alpha > 0, alpha / (alpha + beta), c.posterior.mean), candidates, alphas, betas) AS candidate_means,
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
    policy_id,
    policy_version,
    canary,
    trial,
    decided_at,
    cells,
    reward_micro / 1e6 AS reward,
    success_micro / 1e6 AS success,
    streaming_micro / 1e6 AS streaming,
    cache_micro / 1e6 AS cache,
    cost_micro / 1e6 AS cost,
    evidence_trials,
    evidence_measured,
    evidence_failures,
    evidence_success,
    evidence_streaming,
    evidence_cache,
    evidence_cost,
    evidence_cost_nano_usd,
    evidence_latency_ms,
    evidence_prompt_tokens,
    evidence_completion_tokens,
    id AS event_id
FROM events
WHERE type = 'reward.recorded';

-- One row for each change of policy: one took effect, a canary began or ended.
CREATE OR REPLACE VIEW policy_changes AS
SELECT
    sequence,
    stream_epoch,
    time,
    policy_change AS change,
    transform(toString(type), ['policy.activated', 'policy.canary_started', 'policy.canary_ended'], ['activated', 'canary started', 'canary ended'], '') AS what,
    policy_id,
    policy_version,
    concat(JSONExtractString(data, 'kind'), JSONExtractString(data, 'spec', 'kind')) AS kind,
    policy_origin AS origin,
    JSONExtractFloat(data, 'share') AS share,
    JSONExtractString(data, 'outcome') AS outcome,
    JSONExtractString(data, 'reason') AS reason,
    id AS event_id
FROM events
WHERE type IN ('policy.activated', 'policy.canary_started', 'policy.canary_ended');

-- One row for each time that the prices of a tenant were set.
CREATE OR REPLACE VIEW paces AS
SELECT
    sequence,
    stream_epoch,
    time,
    tenant,
    step,
    JSONExtract(data, 'usdPerRequest', 'Nullable(Float64)') AS usd_per_request,
    JSONExtract(data, 'latencyTargetMs', 'Nullable(Float64)') AS latency_target_ms,
    reward_per_usd,
    reward_per_second,
    JSONExtractUInt(data, 'totals', 'requests') AS requests_total,
    JSONExtractUInt(data, 'totals', 'costNanoUsd') AS cost_nano_usd_total,
    JSONExtractUInt(data, 'totals', 'latencyMs') AS latency_ms_total,
    JSONExtractInt(data, 'creditNanoUsd') AS credit_nano_usd,
    id AS event_id
FROM events
WHERE type = 'budget.paced';
