import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { granted, shadowed, skipped } from '../support/shadow-events.ts';

/** Figures by hand: three requests of arm-a with arm-b beside it, one of which fails there; one the other way round, with judged answers. */
describe('views of shadows', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    const bus = memoryBus();
    const [a, b] = [{ arm: 'arm-a' }, { arm: 'arm-b' }];
    await append(
      bus.log,
      [granted(0)],
      [
        shadowed(
          0,
          { ...a, latencyMs: 100, costNanoUsd: 1_000 },
          { ...b, latencyMs: 300, firstTokenMs: 50, costNanoUsd: 500 },
          { similarity: 0.75 },
        ),
      ],
      [
        shadowed(
          1,
          { ...a, latencyMs: 200, costNanoUsd: 3_000 },
          { ...b, latencyMs: 200, firstTokenMs: 70, costNanoUsd: 900 },
          { similarity: 0.25 },
        ),
      ],
      [
        shadowed(
          2,
          { ...a, latencyMs: 900, costNanoUsd: 2_000 },
          {
            ...b,
            outcome: 'provider_timeout',
            detail: 'too late',
            finishReason: null,
            firstTokenMs: null,
            latencyMs: 30_000,
            costNanoUsd: 0,
          },
          { similarity: null, overrunNanoUsd: 7 },
        ),
      ],
      [shadowed(3, { ...b, scoreMicro: 250_000 }, { ...a, scoreMicro: 1_000_000, simulated: true }, { tenant: 'acme' })],
      [skipped(600, { budget: 3, rate: 1 })],
      [skipped(1_200, { noSecondArm: 2 }, 'acme')],
    );
    await project(clickhouse, bus);
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  test('shadows', async () => {
    const rows = await clickhouse.rows('SELECT * FROM shadows ORDER BY sequence');
    expect(rows).toHaveLength(4);
    expect(rows[2]).toMatchObject({
      tenant: 'default',
      request_id: 'request-2',
      delivered_arm: 'arm-a',
      shadow_arm: 'arm-b',
      delivered_model: 'model-a',
      shadow_model: 'model-b',
      share: 0.3,
      propensity: 0.5,
      streamed: true,
      delivered_outcome: 'completed',
      shadow_outcome: 'provider_timeout',
      shadow_detail: 'too late',
      delivered_latency_ms: 900,
      shadow_latency_ms: 30_000,
      delivered_first_token_ms: 20,
      shadow_first_token_ms: null,
      delivered_cost_nano_usd: '2000',
      shadow_cost_nano_usd: '0',
      delivered_completion_tokens: '60',
      delivered_score: null,
      similarity: null,
      similarity_method: 'trigram-jaccard-v1',
      reserved_nano_usd: '20000',
      overrun_nano_usd: '7',
    });
    expect(rows[3]).toMatchObject({
      delivered_score: 0.25,
      shadow_score: 1,
      delivered_simulated: false,
      shadow_simulated: true,
      shadow_detail: null,
    });
  });

  test('shadow_comparison: latency and first token over those that both completed, cost over all', async () => {
    const [pair, other] = await clickhouse.rows('SELECT * FROM shadow_comparison ORDER BY delivered_arm');
    expect(pair).toEqual({
      delivered_arm: 'arm-a',
      shadow_arm: 'arm-b',
      requests: '3',
      delivered_failed: '0',
      shadow_failed: '1',
      both_completed: '2',
      delivered_mean_latency_ms: 150,
      shadow_mean_latency_ms: 250,
      latency_ms_difference: 100,
      delivered_mean_first_token_ms: 20,
      shadow_mean_first_token_ms: 60,
      first_token_ms_difference: 40,
      delivered_mean_cost_nano_usd: 2_000,
      shadow_mean_cost_nano_usd: 1_400 / 3,
      cost_nano_usd_difference: 1_400 / 3 - 2_000,
      delivered_mean_score: null,
      shadow_mean_score: null,
      mean_similarity: 0.5,
      shadow_cost_nano_usd_sum: '1400',
    });
    expect(other).toMatchObject({ delivered_arm: 'arm-b', delivered_mean_score: 0.25, shadow_mean_score: 1, requests: '1' });
  });

  test('shadow_skips', async () => {
    expect(
      await clickhouse.rows(
        'SELECT tenant, counted_from, counted_to, host, budget, rate, no_second_arm FROM shadow_skips ORDER BY sequence',
      ),
    ).toEqual([
      {
        tenant: 'default',
        counted_from: '2026-01-01 00:00:00.000',
        counted_to: '2026-01-01 00:01:00.000',
        host: 'test',
        budget: '3',
        rate: '1',
        no_second_arm: '0',
      },
      {
        tenant: 'acme',
        counted_from: '2026-01-01 00:00:00.000',
        counted_to: '2026-01-01 00:02:00.000',
        host: 'test',
        budget: '0',
        rate: '0',
        no_second_arm: '2',
      },
    ]);
  });

  test('nothing of it is a request, a reward, an outcome or a cost of what was delivered', async () => {
    for (const view of ['requests', 'rewards', 'failures', 'decisions', 'feedback', 'cache_hits', 'parity', 'arms_over_time'])
      expect(await clickhouse.rows(`SELECT count() AS n FROM ${view}`), view).toEqual([{ n: '0' }]);
    expect(await clickhouse.rows("SELECT sum(cost_nano_usd) + sum(evidence_trials) + countIf(arm != '') AS n FROM events")).toEqual([
      { n: '0' },
    ]);
  });
});
