import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  budgetPaced,
  canaryEnded,
  canaryStarted,
  makeEvent,
  policyActivated,
  sequence,
  systemTenant,
  type NonEmpty,
  type SwitchyardEvent,
} from '../../src/events/index.ts';
import type { RequestFeaturesV2 } from '../../src/events/schemas/features.ts';
import { policySpecSchema } from '../../src/events/schemas/policy.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import {
  completed,
  decided,
  failed,
  hit,
  judged,
  noEvidence,
  rewarded,
  stored,
  testStartMs,
  testTenant,
} from '../support/projection-events.ts';

/**
 * Figures by hand. Requests 0 and 4 go to arm-a, 1 to arm-b (fails), 2 is answered from the cache with the answer of 0, 3 is refused before a choice, 5 was
 * decided (arm-b) and is still open. Request 4 is judged and its reward revised. Request 600 falls into the second minute, arm-a.
 */
const reward = (success: number, streaming: number, cache: number, cost: number) => ({
  parts: { success, streaming, cache, cost },
  rewardMicro: Math.round(0.4 * success + 0.2 * (streaming + cache + cost)),
});

const featuresOf = (kind: RequestFeaturesV2['kind']): RequestFeaturesV2 => ({
  version: 2,
  tenant: testTenant,
  promptCharacters: 10,
  promptTokensEstimate: 3,
  messageCount: 1,
  conversationDepth: 1,
  hasSystemPrompt: false,
  lastMessageCharacters: 10,
  hasCode: false,
  hasMathematics: false,
  isQuestion: false,
  language: 'en',
  kind,
  complexity: 0.5,
  requestedTokens: 0,
  requestedFormat: 'text',
  opening: 1,
  ending: 2,
  system: null,
});

const ofTheYard = { tenant: systemTenant, requestId: 'policy', source: 'switchyard/test', timeMs: testStartMs };
const content = (version: string) => ({
  policy: { id: 'thompson', version },
  spec: policySpecSchema.parse({ kind: 'static', shares: { 'arm-a': 1 } }),
  weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
  arms: [{ arm: 'arm-a', model: 'model-a', enabled: true, contextTokens: 1_000, price: null, lacks: [] }],
});
const guard = { confidence: 0.95, minRequests: 50, rewardMargin: 0, errorMargin: 0, costMargin: 0 };
const policyHistory: readonly NonEmpty<SwitchyardEvent>[] = [
  [makeEvent(policyActivated, ofTheYard, { ...content('v1'), origin: 'configuration', change: 1 })],
  [makeEvent(canaryStarted, ofTheYard, { ...content('v2'), change: 2, share: 0.1, guard })],
  [
    makeEvent(canaryEnded, ofTheYard, {
      policy: { id: 'thompson', version: 'v2' },
      change: 3,
      outcome: 'withdrawn',
      reason: 'no more',
      evidence: null,
      stateSequence: sequence(0),
    }),
  ],
  [
    makeEvent(
      budgetPaced,
      { ...ofTheYard, tenant: testTenant },
      {
        step: 4,
        usdPerRequest: 0.01,
        latencyTargetMs: null,
        rewardPerUsd: 7.5,
        rewardPerSecond: 0,
        totals: { requests: 40, costNanoUsd: 1, latencyMs: 2 },
        creditNanoUsd: -5,
        stateSequence: sequence(0),
      },
    ),
  ],
];

describe('views', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    const bus = memoryBus();
    await append(
      bus.log,
      [decided(0)],
      [completed(0, { latencyMs: 100, costNanoUsd: 1_000 }), rewarded(0, reward(1_000_000, 500_000, 0, 800_000)), stored(0)],
      [decided(1)],
      [failed(1), rewarded(1, { ...reward(0, 0, 0, 500_000), cause: 'failure' })],
      [
        hit(2, 0),
        completed(2, { origin: 'cache', arm: 'arm-a', model: 'model-a', costNanoUsd: 0, latencyMs: 1 }),
        rewarded(2, {
          ...reward(1_000_000, 1_000_000, 1_000_000, 1_000_000),
          arm: 'arm-a',
          cause: 'cache',
          policy: null,
          cells: [],
          evidence: noEvidence,
        }),
      ],
      [failed(3, { code: 'no_candidate', arm: null, model: null, costNanoUsd: 0 })],
      [decided(4)],
      [completed(4, { latencyMs: 300, costNanoUsd: 3_000 }), rewarded(4, reward(1_000_000, 500_000, 0, 800_000))],
      [judged(4, { scoreMicro: 250_000 })],
      [
        rewarded(4, {
          ...reward(250_000, 500_000, 0, 800_000),
          revision: 1,
          cause: 'feedback',
          evidence: { ...noEvidence, success: -750_000 },
        }),
      ],
      [decided(5)],
      [
        decided(600, {
          policy: { id: 'thompson', version: 'v2', canary: true, trial: 2 },
          decidedAt: '2026-01-01T00:00:59.999Z',
          pacing: { step: 3, usdPerRequest: 0.01, latencyTargetMs: null, rewardPerUsd: 12.5, rewardPerSecond: 0 },
          conversation: { id: 'a'.repeat(32), previousArm: 'arm-c' },
          features: featuresOf('code-writing'),
          candidates: [
            {
              arm: 'arm-a',
              model: 'model-a',
              posterior: { family: 'normal', mean: 0.75, sd: 0.1 },
              expectedCostNanoUsd: 1_500,
              expectedLatencyMs: null,
              adjustment: -0.25,
              floor: 0,
              propensity: 1,
            },
          ],
        }),
      ],
      [completed(600, { latencyMs: 50, costNanoUsd: 700 }), rewarded(600, reward(1_000_000, 0, 0, 0))],
      ...policyHistory,
      // Feedback for a request that nobody knows makes no request.
      [judged(77)],
    );
    await project(clickhouse, bus);
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });
  const rows = (select: string) => clickhouse.rows(select);

  test('requests', async () => {
    const seen = await rows(
      `SELECT request_id, path, outcome, arm, reward, cost_nano_usd, feedback_score FROM requests ORDER BY toUInt32(substring(request_id, 9))`,
    );
    const row = (
      id: number,
      path: string,
      outcome: string,
      arm: string,
      reward: number | null,
      cost: number,
      score: number | null = null,
    ) => ({
      request_id: `request-${id}`,
      path,
      outcome,
      arm,
      reward,
      cost_nano_usd: String(cost),
      feedback_score: score,
    });
    expect(seen).toEqual([
      row(0, 'routed', 'completed', 'arm-a', 0.66, 1_000),
      row(1, 'routed', 'provider_error', 'arm-b', 0.1, 500),
      row(2, 'cached', 'completed', 'arm-a', 1, 0),
      row(3, 'refused', 'no_candidate', '', null, 0),
      row(4, 'routed', 'completed', 'arm-a', 0.36, 3_000, 0.25),
      row(5, 'routed', 'open', 'arm-b', null, 0),
      row(600, 'routed', 'completed', 'arm-a', 0.4, 700),
    ]);
  });

  test('parity', async () => {
    expect(await rows('SELECT * FROM parity')).toEqual([
      {
        tenant: 'default',
        requests: '7',
        decided: '5',
        cached: '1',
        refused: '1',
        completed: '4',
        failed: '2',
        open: '1',
        rewarded: '5',
        unrewarded: '0',
        decided_twice: '0',
        ended_twice: '0',
        rewarded_twice: '0',
      },
    ]);
  });

  test('arms over time', async () => {
    const seen = await rows(
      `SELECT minute, arm, requests, share, failed, mean_reward, mean_success, cost_nano_usd, latency_ms_p50 FROM arms_over_time ORDER BY minute, arm`,
    );
    expect(seen).toEqual([
      {
        minute: '2026-01-01 00:00:00',
        arm: 'arm-a',
        requests: '2',
        share: 0.5,
        failed: '0',
        mean_reward: 0.51,
        mean_success: 0.625,
        cost_nano_usd: '4000',
        latency_ms_p50: 200,
      },
      {
        minute: '2026-01-01 00:00:00',
        arm: 'arm-b',
        requests: '2',
        share: 0.5,
        failed: '1',
        mean_reward: 0.1,
        mean_success: 0,
        cost_nano_usd: '500',
        latency_ms_p50: null,
      },
      {
        minute: '2026-01-01 00:01:00',
        arm: 'arm-a',
        requests: '1',
        share: 1,
        failed: '0',
        mean_reward: 0.4,
        mean_success: 1,
        cost_nano_usd: '700',
        latency_ms_p50: 50,
      },
    ]);
  });

  test('decisions hold candidates, exclusions and features', async () => {
    const [seen] = await rows(`SELECT * FROM decisions WHERE request_id = 'request-4'`);
    expect(seen).toMatchObject({
      sequence: '7',
      arm: 'arm-a',
      propensity: 0.25,
      floor: 0.01,
      candidate_arms: ['arm-a', 'arm-b', 'arm-c', 'arm-d'],
      candidate_alphas: [1, 2, 3, 4],
      candidate_betas: [2.5, 2.5, 2.5, 2.5],
      candidate_families: ['beta', 'beta', 'beta', 'beta'],
      candidate_means: [1 / 3.5, 2 / 4.5, 3 / 5.5, 4 / 6.5],
      candidate_floors: [0.01, 0.01, 0.01, 0.01],
      usd_per_request: null,
      weights: { success: 0.4, streaming: 0.2, cache: 0.2, cost: 0.2 },
      candidate_expected_costs_nano_usd: [null, null, null, null],
      policy_version: '0123456789abcdef',
      canary: false,
      trial: '0',
      decided_at: '2026-01-01 00:00:00.400',
      reward_per_usd: 0,
      conversation: '',
      request_kind: '',
      candidate_propensities: [0.25, 0.25, 0.25, 0.25],
      exclusions: [{ arm: 'arm-z', reason: 'disabled' }],
      prompt_characters: '120',
      has_code: true,
      has_mathematics: false,
    });
    const [later] = await rows(`SELECT * FROM decisions WHERE request_id = 'request-600'`);
    expect(later).toMatchObject({
      policy_version: 'v2',
      canary: true,
      trial: '2',
      decided_at: '2026-01-01 00:00:59.999',
      reward_per_usd: 12.5,
      conversation: 'a'.repeat(32),
      previous_arm: 'arm-c',
      request_kind: 'code-writing',
      language: 'en',
      complexity: 0.5,
      candidate_families: ['normal'],
      candidate_alphas: [null],
      candidate_betas: [null],
      candidate_means: [0.75],
      candidate_adjustments: [-0.25],
      candidate_expected_costs_nano_usd: [1_500],
      candidate_expected_latencies_ms: [null],
    });
    expect(await rows('SELECT count() AS n FROM decisions')).toEqual([{ n: '5' }]);
  });

  test('changes of policy and paces', async () => {
    expect(
      await rows('SELECT change, what, policy_version, kind, origin, share, outcome, reason FROM policy_changes ORDER BY sequence'),
    ).toEqual([
      { change: '1', what: 'activated', policy_version: 'v1', kind: 'static', origin: 'configuration', share: 0, outcome: '', reason: '' },
      { change: '2', what: 'canary started', policy_version: 'v2', kind: 'static', origin: '', share: 0.1, outcome: '', reason: '' },
      { change: '3', what: 'canary ended', policy_version: 'v2', kind: '', origin: '', share: 0, outcome: 'withdrawn', reason: 'no more' },
    ]);
    expect(
      await rows('SELECT tenant, step, usd_per_request, latency_target_ms, reward_per_usd, requests_total, credit_nano_usd FROM paces'),
    ).toEqual([
      {
        tenant: 'default',
        step: '4',
        usd_per_request: 0.01,
        latency_target_ms: null,
        reward_per_usd: 7.5,
        requests_total: '40',
        credit_nano_usd: '-5',
      },
    ]);
  });

  test('rewards, feedback, failures, cache hits', async () => {
    expect(
      await rows(`SELECT revision, cause, reward, success, evidence_success FROM rewards WHERE request_id = 'request-4' ORDER BY revision`),
    ).toEqual([
      { revision: 0, cause: 'completion', reward: 0.66, success: 1, evidence_success: 1_000_000 },
      { revision: 1, cause: 'feedback', reward: 0.36, success: 0.25, evidence_success: -750_000 },
    ]);
    expect(await rows(`SELECT request_id, kind, score FROM feedback ORDER BY sequence`)).toEqual([
      { request_id: 'request-4', kind: 'thumb', score: 0.25 },
      { request_id: 'request-77', kind: 'thumb', score: 0.25 },
    ]);
    expect(await rows(`SELECT request_id, code, detail, arm FROM failures ORDER BY sequence`)).toEqual([
      { request_id: 'request-1', code: 'provider_error', detail: 'status 500', arm: 'arm-b' },
      { request_id: 'request-3', code: 'no_candidate', detail: 'status 500', arm: '' },
    ]);
    expect(await rows('SELECT request_id, origin_request_id, lookup, age_ms, saved_cost_nano_usd FROM cache_hits')).toEqual([
      { request_id: 'request-2', origin_request_id: 'request-0', lookup: 'exact', age_ms: 1_500, saved_cost_nano_usd: '1000' },
    ]);
  });

  test('times are to the millisecond', async () => {
    const [seen] = await rows(`SELECT toUnixTimestamp64Milli(started_at) AS ms FROM requests WHERE request_id = 'request-4'`);
    expect(seen).toEqual({ ms: String(testStartMs + 400) });
  });
});
