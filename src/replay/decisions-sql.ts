import { tables } from '../projections/table.ts';

/**
 * What is asked of ClickHouse about decisions and what came of them. A page is one row of arrays, one for each column: parsed at once, it takes a fifth of the time of a row for each decision.
 *
 * A reward names the moment of the decision that it is for (`decided_at`, the same to the millisecond), so that those of a page are found by one narrow column, however late they came. Rewards of
 * version 1 do not, and have no policy: they are looked at for every page.
 */
export type PageBounds = {
  /** Sequences: above `after`, up to `last`. */
  readonly after: number;
  readonly last: number;
  readonly decidedFromMs: number;
  readonly decidedToMs: number;
};

/** Conditions on the table `events`: rows of the current log, and, of decisions, those of the tenant. */
export type PageConditions = { readonly rows: string; readonly decisions: string; readonly outcomesUpTo: number };

const decided = "type = 'route.decided'";

export const periodSql = (conditions: string): string =>
  `SELECT count() AS decisions, min(sequence) AS first_sequence, max(sequence) AS last_sequence, toUnixTimestamp64Milli(min(time)) AS first_ms, min(propensity) AS least_propensity FROM ${tables.events} WHERE ${decided} AND ${conditions}`;

export const lastSequenceSql = (rows: string): string => `SELECT max(sequence) AS last_sequence FROM ${tables.events} WHERE ${rows}`;

/** Floors of all policies that were in force up to there, and of how many arms each chose. */
export const floorsSql = (rows: string, upTo: number): string =>
  `SELECT min(if(JSONHas(data, 'spec'), JSONExtractFloat(data, 'spec', 'floor'), JSONExtractFloat(data, 'floor'))) AS floor, max(JSONLength(data, 'arms')) AS arms, count() AS policies
FROM ${tables.events} WHERE type IN ('policy.activated', 'policy.canary_started') AND ${rows} AND sequence <= ${upTo}`;

/** How many decisions lie in each stretch of so many sequences, and when: pages are put together from these. */
export const binsSql = (conditions: string, width: number): string =>
  `SELECT count() AS decisions, max(sequence) AS last, toUnixTimestamp64Milli(min(decided_at)) AS decided_from_ms, toUnixTimestamp64Milli(max(decided_at)) AS decided_to_ms
FROM ${tables.events} WHERE ${decided} AND ${conditions} GROUP BY intDiv(sequence, ${width}) ORDER BY last`;

/** All that a decision says, taken out of its JSON in one go. Decisions of version 1 lack some of it: what is missing is 0, '' or empty, as their upcaster has it. */
const decisionShape = `Tuple(
candidates Array(Tuple(arm String, propensity Float64)),
exclusions Array(Tuple(arm String, reason String)),
needs Array(String),
weights Tuple(success Float64, streaming Float64, cache Float64, cost Float64),
pacing Tuple(usdPerRequest Float64, latencyTargetMs Float64),
conversation Tuple(previousArm String),
decidedAt String,
maxOutputTokens Float64,
features Tuple(version UInt8, promptCharacters Float64, promptTokensEstimate Float64, messageCount Float64, conversationDepth Float64, hasSystemPrompt Bool, lastMessageCharacters Float64, hasCode Bool, hasMathematics Bool, isQuestion Bool, requestedTokens Float64, requestedFormat String, opening UInt16, ending UInt16, system Nullable(UInt16))
)`.replace(/\n/g, ' ');

/** The columns of a page, each an expression over one joined row. */
export const pageColumns = {
  sequence: 'toFloat64(sequence)',
  atMs: 'toFloat64(toUnixTimestamp64Milli(time))',
  decidedAtMs: "if(d.decidedAt = '', -1, toFloat64(toUnixTimestamp64Milli(decided_at)))",
  tenant: 'toString(tenant)',
  requestId: 'request_id',
  conversation: 'conversation',
  previousArm: 'd.conversation.previousArm',
  policy: "concat(policy_id, ' ', policy_version)",
  arm: 'toString(arm)',
  propensity: 'propensity',
  // Names hold no space. The same few lists come again and again: as one text each is looked up, not made.
  arms: "arrayStringConcat(d.candidates.arm, ' ')",
  propensities: 'd.candidates.propensity',
  brokenArms: "arrayStringConcat(arrayMap(e -> e.arm, arrayFilter(e -> e.reason = 'breaker-open', d.exclusions)), ' ')",
  requestedModel: 'toString(requested_model)',
  needs: "arrayStringConcat(d.needs, ' ')",
  maxOutputTokens: 'd.maxOutputTokens',
  weights: '[d.weights.success, d.weights.streaming, d.weights.cache, d.weights.cost]',
  usdPerRequest: 'd.pacing.usdPerRequest',
  latencyTargetMs: 'd.pacing.latencyTargetMs',
  rewardPerUsd: 'reward_per_usd',
  rewardPerSecond: 'reward_per_second',
  draw: 'draw',
  stateSequence: 'toFloat64(state_sequence)',
  featuresVersion: 'd.features.version',
  promptCharacters: 'd.features.promptCharacters',
  promptTokensEstimate: 'd.features.promptTokensEstimate',
  messageCount: 'd.features.messageCount',
  conversationDepth: 'd.features.conversationDepth',
  hasSystemPrompt: 'toUInt8(d.features.hasSystemPrompt)',
  lastMessageCharacters: 'd.features.lastMessageCharacters',
  hasCode: 'toUInt8(d.features.hasCode)',
  hasMathematics: 'toUInt8(d.features.hasMathematics)',
  isQuestion: 'toUInt8(d.features.isQuestion)',
  language: 'toString(language)',
  kind: 'toString(request_kind)',
  complexity: 'complexity',
  requestedTokens: 'd.features.requestedTokens',
  requestedFormat: 'd.features.requestedFormat',
  opening: 'd.features.opening',
  ending: 'd.features.ending',
  // An array of the engine leaves NULL out.
  system: 'ifNull(toInt16(d.features.system), -1)',
  revisions: 'toUInt32(revisions)',
  interrupted: 'toUInt8(interrupted)',
  failed: 'toUInt8(has_failed)',
  measured: 'toUInt8(is_measured)',
  rewardMicro: 'last_reward',
  success: 'last_success',
  streaming: 'last_streaming',
  cache: 'last_cache',
  cost: 'last_cost',
  rewardWeights: 'last_weights',
  costNanoUsd: 'toFloat64(cost_nano_usd)',
  latencyMs: 'toFloat64(latency_ms)',
  promptTokens: 'toFloat64(prompt_tokens)',
  completionTokens: 'toFloat64(completion_tokens)',
} as const;

/**
 * The last revision of each reward; of two with the same number the first in the log. Cost, latency and tokens are those of the first revision, which later ones do not change. The weights in force when it was recorded stand in its
 * JSON alone, which takes as long as all else: nearly always they are those of the decision, and the reward itself tells when not.
 */
const outcomesSql = (
  { rows, outcomesUpTo }: PageConditions,
  { after, decidedFromMs, decidedToMs }: PageBounds,
  recordedWeights: boolean,
): string =>
  `SELECT tenant, request_id, count() AS revisions, ${(['reward', 'success', 'streaming', 'cache', 'cost'] as const).map((part) => `argMax(${part}_micro, ${latest}) AS last_${part}`).join(', ')},
  ${recordedWeights ? `argMax(JSONExtract(data, 'weights', 'Tuple(success Float64, streaming Float64, cache Float64, cost Float64)'), ${latest}) AS w, [w.success, w.streaming, w.cache, w.cost]` : '[]::Array(Float64)'} AS last_weights,
  max(cause = 'interruption') AS interrupted, max(evidence_failures) AS has_failed, max(revision = 0 AND policy_id != '') AS is_measured,
  max(evidence_cost_nano_usd) AS cost_nano_usd, max(evidence_latency_ms) AS latency_ms, max(evidence_prompt_tokens) AS prompt_tokens, max(evidence_completion_tokens) AS completion_tokens
FROM ${tables.events}
PREWHERE (decided_at >= fromUnixTimestamp64Milli(${decidedFromMs}::Int64) AND decided_at <= fromUnixTimestamp64Milli(${decidedToMs}::Int64)) OR policy_id = ''
WHERE type = 'reward.recorded' AND cause != 'cache' AND ${rows} AND sequence > ${after} AND sequence <= ${outcomesUpTo}
GROUP BY tenant, request_id`;

/** As one number: of rewards with as many revisions the one that comes first. Sequences stay below 2^50 (a million a second for thirty years), revisions at or below 1,000. */
const latest = 'toInt64(revision) * 1125899906842624 - toInt64(sequence)';

/** `recordedWeights`: the weights of each reward are read, too. */
export const pageSql = (conditions: PageConditions, bounds: PageBounds, { recordedWeights = false } = {}): string =>
  `SELECT ${Object.entries(pageColumns)
    .map(([name, expression]) => `groupArray(${expression}) AS c_${name}`)
    .join(', ')}
FROM
(
  SELECT * FROM (
    SELECT sequence, time, decided_at, tenant, request_id, conversation, policy_id, policy_version, arm, propensity, requested_model, reward_per_usd, reward_per_second, draw, state_sequence, language, request_kind, complexity,
      JSONExtract(data, '${decisionShape}') AS d
    FROM ${tables.events}
    WHERE ${decided} AND ${conditions.decisions} AND sequence > ${bounds.after} AND sequence <= ${bounds.last}
  ) AS decisions
  LEFT JOIN (${outcomesSql(conditions, bounds, recordedWeights)}) AS outcomes USING (tenant, request_id)
  ORDER BY sequence
)`;
