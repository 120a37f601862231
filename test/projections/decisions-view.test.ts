import { afterAll, beforeAll, expect, test } from 'vitest';
import { pick, withFloors } from '../../src/domain/routing/draw.ts';
import { normalPropensities } from '../../src/domain/routing/normal-propensities.ts';
import { decideRoute, type RoutingInput } from '../../src/domain/routing/router.ts';
import { emptyRouterState } from '../../src/domain/routing/state.ts';
import type { Clickhouse } from '../../src/projections/clickhouse.ts';
import { armOf, atTick, contentOf, deciding, learn, request, successOnly } from '../domain/support/routing.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../support/projection.ts';
import { decided } from '../support/projection-events.ts';

/** Decisions of the router, each made again from its row of the view `decisions` alone. */
const prices = { inputUsdPerMillionTokens: 500, outputUsdPerMillionTokens: 4_000 };
const arms = [armOf('quick', { price: prices }), armOf('careful'), armOf('thorough'), armOf('retired', { enabled: false })];
const common = { floor: 0.02, trial: { requests: 5, share: 0.1 }, switchingCost: 0.03 };
const contextual = deciding(contentOf({ kind: 'contextual-thompson', ...common }, arms));
const beta = deciding(contentOf({ kind: 'beta-bernoulli-thompson', ...common }, arms));
const fixed = deciding(contentOf({ kind: 'static', shares: { quick: 0.5, careful: 0.2, thorough: 0.3 }, ...common }, arms));

const state = emptyRouterState();
for (const [arm, reward, times] of [
  ['quick', 0.4, 30],
  ['careful', 0.45, 20],
  ['thorough', 0.6, 6],
] as const)
  learn(state.evidence, arm, { reward, times, measured: 1, costNanoUsd: 900_000, latencyMs: 700 });
state.paces.set(request.tenant, {
  step: 4,
  usdPerRequest: 0.01,
  latencyTargetMs: 900,
  rewardPerUsd: 80,
  rewardPerSecond: 0.01,
  totals: { requests: 0, costNanoUsd: 0, latencyMs: 0 },
  creditNanoUsd: 0,
});

const input: RoutingInput = {
  tenant: request.tenant,
  requestedModel: 'auto',
  features: request,
  maxOutputTokens: 500,
  needs: [],
  weights: successOnly,
  budget: { usdPerRequest: 0.01, latencyTargetMs: 900 },
  conversation: { id: 'c'.repeat(32), previousArm: 'careful' },
  decidedAtMs: atTick(2),
  draw: 0.61,
};

type Row = {
  readonly arm: string;
  readonly draw: number;
  readonly propensity: number;
  readonly candidate_arms: readonly string[];
  readonly candidate_families: readonly string[];
  readonly candidate_alphas: readonly (number | null)[];
  readonly candidate_betas: readonly (number | null)[];
  readonly candidate_means: readonly (number | null)[];
  readonly candidate_sds: readonly (number | null)[];
  readonly candidate_adjustments: readonly number[];
  readonly candidate_floors: readonly number[];
  readonly candidate_propensities: readonly number[];
};

let folder: Awaited<ReturnType<typeof testFolder>>;
let clickhouse: Clickhouse;
beforeAll(async () => {
  folder = await testFolder();
  clickhouse = await openShaped(folder.path);
  const bus = memoryBus();
  for (const [i, policy] of [contextual, beta, fixed].entries()) {
    const decision = decideRoute(input, policy, state);
    if (decision.kind !== 'chosen') throw new Error(`expected a choice, got ${decision.kind}`);
    await append(bus.log, [decided(i, { ...decision.choice, features: request })]);
  }
  await project(clickhouse, bus);
});
afterAll(async () => {
  await clickhouse.close();
  await folder.remove();
});
const rowOf = async (i: number): Promise<Row> => {
  const [row] = await clickhouse.rows(`SELECT * FROM decisions WHERE request_id = 'request-${i}'`);
  return row as unknown as Row;
};

test.each([
  [0, 'normal'],
  [1, 'beta'],
] as const)('a decision has all that it was made from: %i, %s', async (i, family) => {
  const row = await rowOf(i);
  expect(row.candidate_families).toEqual([family, family, family]);
  // Prices and the conversation moved it, and arms on trial have floors of their own: without these there is nothing to see.
  expect(new Set(row.candidate_adjustments).size).toBeGreaterThan(1);
  expect(row.candidate_floors).toEqual([0.1, 0.1, 0.1]);
  const shares = normalPropensities(
    row.candidate_means.map((mean, k) => ({
      mean: (mean ?? NaN) + (row.candidate_adjustments[k] ?? NaN),
      sd: row.candidate_sds[k] ?? NaN,
    })),
  );
  withFloors(shares, row.candidate_floors).forEach((probability, k) => {
    expect(probability).toBeCloseTo(row.candidate_propensities[k] ?? NaN, 9);
  });
  const index = pick(row.candidate_propensities, row.draw);
  expect([row.candidate_arms[index], row.candidate_propensities[index]]).toEqual([row.arm, row.propensity]);
});

test('the standard deviation of a Beta posterior is that of the distribution', async () => {
  const { candidate_alphas: alphas, candidate_betas: betas, candidate_means: means, candidate_sds: sds } = await rowOf(1);
  alphas.forEach((alpha, k) => {
    const [a, b] = [alpha ?? NaN, betas[k] ?? NaN];
    expect(means[k]).toBeCloseTo(a / (a + b), 12);
    expect(sds[k]).toBeCloseTo(Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))), 12);
  });
});

test('where the policy believes nothing there is NULL', async () => {
  expect(await rowOf(2)).toMatchObject({
    candidate_families: ['', '', ''],
    candidate_alphas: [null, null, null],
    candidate_means: [null, null, null],
    candidate_sds: [null, null, null],
    usd_per_request: 0.01,
    latency_target_ms: 900,
    max_output_tokens: '500',
    needs: [],
    weights: successOnly,
    exclusions: [{ arm: 'retired', reason: 'disabled' }],
  });
});
