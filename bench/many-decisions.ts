import type { Clickhouse } from '../src/projections/clickhouse.ts';
import { recordEpoch } from '../src/projections/epochs.ts';
import { tables } from '../src/projections/table.ts';

/**
 * Decisions and their rewards as the projector writes them, made by the engine itself. Three arms that are drawn with one of three sets of probabilities, one request a second; the arms answer well with probability
 * .5, .65 and .72. What they say follows from their number alone.
 */
export const fillWithDecisions = async (clickhouse: Clickhouse, count: number): Promise<void> => {
  await recordEpoch(clickhouse, { epoch: 1, streamCreatedAt: 'made up', firstSequence: 1, reason: 'first' });
  for (const columns of [decisionColumns, rewardColumns])
    await clickhouse.command(
      `INSERT INTO ${tables.events} (${Object.keys(columns).join(', ')}) SELECT ${Object.values(columns).join(', ')} FROM (${made(count)}) SETTINGS async_insert = 0, max_insert_threads = 1`,
    );
};

export const madeUpArms = ['a', 'b', 'c'] as const;

const beganMs = Date.UTC(2026, 0, 1);

const made = (count: number): string => `SELECT number, cityHash64(number) AS lot,
  [(0.7, 0.2, 0.1), (0.2, 0.6, 0.2), (0.05, 0.15, 0.8)][1 + intDiv(lot, 7) % 3] AS p, (lot % 1000003) / 1000003 AS u,
  multiIf(u < p.1, 'a', u < p.1 + p.2, 'b', 'c') AS chosen, multiIf(u < p.1, p.1, u < p.1 + p.2, p.2, p.3) AS probability,
  if(sipHash64(number) % 1000 < multiIf(chosen = 'a', 500, chosen = 'b', 650, 720), 1000000, 0) AS success_micros, 700000 + lot % 99991 AS streaming_micros, 400000 + lot % 199999 AS cost_micros,
  fromUnixTimestamp64Milli(${beganMs}::Int64 + number * 1000, 'UTC') AS at FROM numbers(${count})`;

const weights = '{"success":0.4,"streaming":0.2,"cache":0.2,"cost":0.2}';

const candidate = (arm: string, share: number): string =>
  `{"arm":"${arm}","model":"m-${arm}","posterior":{"family":"normal","mean":0.61234567,"sd":0.01234567},"expectedCostNanoUsd":12345.678,"expectedLatencyMs":812.345,"adjustment":0,"floor":0.01,"propensity":', toString(p.${share}), '}`;

const decision = `concat('{"question":"0123456789abcdef0123456789abcdef","requestedModel":"auto","arm":"', chosen, '","model":"m-', chosen, '","propensity":', toString(probability),
  ',"policy":{"id":"thompson","version":"f00d","canary":false,"trial":null},"stateSequence":', toString(number * 2), ',"draw":0.123456789,"floor":0.01,"weights":${weights},"decidedAt":"',
  formatDateTime(at, '%Y-%m-%dT%H:%i:%S'), '.000Z","pacing":null,"conversation":null,"needs":[],"maxOutputTokens":0,"candidates":[${madeUpArms.map((arm, i) => candidate(arm, i + 1)).join(',')}],"exclusions":[],
  "features":{"version":2,"tenant":"default","promptCharacters":120,"promptTokensEstimate":30,"messageCount":2,"conversationDepth":1,"hasSystemPrompt":false,"lastMessageCharacters":80,"hasCode":false,"hasMathematics":false,"isQuestion":true,"language":"en","kind":"open-question","complexity":0.25,"requestedTokens":0,"requestedFormat":"text","opening":12,"ending":', toString(lot % 256), ',"system":null},
  "cache":"miss","streamed":true,"host":"bench","retryable":false,"deadline":"2026-01-01T00:01:00.000Z"}')`;

const common = {
  stream_epoch: '1',
  event_index: '0',
  stored_at: 'at',
  schema_version: '2',
  source: "'switchyard/bench'",
  time: 'at',
  tenant: "'default'",
  request_id: "concat('request-', toString(number))",
  policy_id: "'thompson'",
  policy_version: "'f00d'",
  decided_at: 'at',
  arm: 'chosen',
  model: "concat('m-', chosen)",
};

const decisionColumns: Readonly<Record<string, string>> = {
  ...common,
  sequence: 'number * 2 + 1',
  id: "concat('decision-', toString(number))",
  type: "'route.decided'",
  data: decision,
  propensity: 'probability',
  draw: '0.123456789',
  state_sequence: 'number * 2',
  requested_model: "'auto'",
  request_kind: "'open-question'",
  language: "'en'",
  complexity: '0.25',
  candidate_arms: `[${madeUpArms.map((arm) => `'${arm}'`).join(', ')}]`,
  candidate_propensities: '[p.1, p.2, p.3]',
  weights: '(0.4, 0.2, 0.2, 0.2)',
  features: "(2, 120, 30, 2, 1, false, 80, false, false, true, 0, 'text', 12, lot % 256, -1)",
};

const rewardColumns: Readonly<Record<string, string>> = {
  ...common,
  sequence: 'number * 2 + 2',
  id: "concat('reward-', toString(number))",
  type: "'reward.recorded'",
  data: `'{"weights":${weights}}'`,
  cause: "'completion'",
  success_micro: 'success_micros',
  streaming_micro: 'streaming_micros',
  cache_micro: '1000000',
  cost_micro: 'cost_micros',
  reward_micro: 'toUInt32(round(success_micros * 0.4 + streaming_micros * 0.2 + 200000 + cost_micros * 0.2))',
  cells: "['all', 'kind:open-question', concat('ending:open-question:', toString(lot % 256 % 32))]",
  evidence_trials: '1',
  evidence_measured: '1',
  evidence_cost_nano_usd: '10000 + lot % 500000',
  evidence_latency_ms: '200 + lot % 3000',
  evidence_prompt_tokens: '30',
  evidence_completion_tokens: '10 + lot % 500',
};
