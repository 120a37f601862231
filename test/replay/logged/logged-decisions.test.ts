import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MemoryBus } from '../../../src/bus/memory/bus.ts';
import type { Clickhouse } from '../../../src/projections/clickhouse.ts';
import type { LoggedDecision } from '../../../src/replay/logged/logged-decision.ts';
import { freezePeriod, largestWeightIn, readDecisions, type PeriodQuestion } from '../../../src/replay/logged/logged-decisions.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../../support/projection.ts';
import { completed, decided, failed, rewarded, testStartMs } from '../../support/projection-events.ts';

const policy = { id: 'thompson', version: '0123456789abcdef', canary: false, trial: null };
const decidedAt = (i: number) => new Date(testStartMs + i * 1_000).toISOString();
const decision = (i: number) => decided(i, { decidedAt: decidedAt(i), policy });
const reward = (i: number, data: Parameters<typeof rewarded>[1] = {}) => rewarded(i, { policy, decidedAt: decidedAt(i), ...data });

describe('logged decisions from ClickHouse', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;
  let bus: MemoryBus;

  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    bus = memoryBus();
    for (let i = 1; i <= 30; i++) await append(bus.log, [decision(i)], [completed(i), reward(i)]);
    // Open, broken off, failed, judged late, weighed otherwise when it was judged, recorded before rewards named their decision.
    await append(bus.log, [decision(31)]);
    await append(bus.log, [decision(32)], [failed(32, { code: 'cancelled' }), reward(32, { cause: 'interruption', cells: [] })]);
    await append(
      bus.log,
      [decision(33)],
      [failed(33), reward(33, { cause: 'failure', evidence: { ...reward(33).data.evidence, failures: 1 } })],
    );
    const none = { ...reward(3).data.evidence, trials: 0, measured: 0, costNanoUsd: 0, latencyMs: 0, promptTokens: 0, completionTokens: 0 };
    const parts = { success: 250_000, streaming: 0, cache: 0, cost: 0 };
    await append(bus.log, [reward(3, { revision: 1, cause: 'feedback', evidence: none, parts, rewardMicro: 100_000 })]);
    const weights = { success: 1, streaming: 0, cache: 0, cost: 0 };
    await append(bus.log, [reward(4, { revision: 1, cause: 'feedback', evidence: none, parts, weights, rewardMicro: 250_000 })]);
    await append(bus.log, [decided(34)], [rewarded(34, { policy: null, decidedAt: null })]);
    await project(clickhouse, bus);
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  const read = async (question: PeriodQuestion = {}, pageSize = 7): Promise<readonly LoggedDecision[]> => {
    const all: LoggedDecision[] = [];
    for await (const page of readDecisions(clickhouse, await freezePeriod(clickhouse, question), { pageSize })) all.push(...page);
    return all;
  };
  const ids = (decisions: readonly LoggedDecision[]) => decisions.map(({ id }) => id);

  test('come in the order of the log, whatever the size of a page, with what was decided', async () => {
    const all = await read();
    expect(ids(all)).toEqual(Array.from({ length: 34 }, (_, i) => `default/request-${i + 1}`));
    expect(await read({}, 1)).toEqual(all);
    expect(await read({}, 1_000)).toEqual(all);
    const { data } = decision(5);
    expect(all[4]).toMatchObject({
      arm: data.arm,
      propensity: 0.25,
      policy: 'thompson 0123456789abcdef',
      cluster: 'default/request-5',
      candidates: { arms: data.candidates.map(({ arm }) => arm), propensities: [0.25, 0.25, 0.25, 0.25] },
      context: {
        kind: 'request',
        input: {
          tenant: 'default',
          requestedModel: 'auto',
          features: data.features,
          weights: data.weights,
          needs: [],
          conversation: null,
          decidedAtMs: testStartMs + 5_000,
        },
        draw: 0.5,
        stateSequence: data.stateSequence,
      },
    });
  });

  test('stand with the last revision of their reward, however late it came', async () => {
    const all = await read();
    const outcomeOf = (i: number) => all[i - 1]?.outcome;
    const { data } = reward(5);
    expect(outcomeOf(5)).toEqual({
      parts: { success: 1, streaming: data.parts.streaming / 1e6, cache: 0, cost: data.parts.cost / 1e6 },
      weights: data.weights,
      failed: false,
      costUsd: data.evidence.costNanoUsd / 1e9,
      latencyMs: data.evidence.latencyMs,
      tokens: { prompt: data.evidence.promptTokens, completion: data.evidence.completionTokens },
    });
    expect(outcomeOf(3)).toMatchObject({ parts: { success: 0.25, streaming: 0 }, costUsd: reward(3).data.evidence.costNanoUsd / 1e9 });
    expect(outcomeOf(4)).toMatchObject({ weights: { success: 1, streaming: 0, cache: 0, cost: 0 } });
    expect(outcomeOf(31)).toBeNull();
    expect(outcomeOf(32)).toBeNull();
    expect(outcomeOf(33)).toMatchObject({ failed: true });
    expect(outcomeOf(34)).toMatchObject({ costUsd: null, latencyMs: null, tokens: null });
  });

  test('a period is frozen: its ends, and the moment up to which outcomes count', async () => {
    const all = await read({ from: { kind: 'sequence', sequence: 4 }, to: { kind: 'sequence', sequence: 9 } });
    expect(ids(all)).toEqual(['default/request-3', 'default/request-4', 'default/request-5']);
    const before = await read({ outcomesUpTo: 60 });
    expect(before[2]?.outcome).toMatchObject({ parts: { success: 1 } });
    expect(before[30]?.outcome).toBeNull();
    await expect(freezePeriod(clickhouse, { tenant: 'nobody' })).rejects.toThrow(
      'expected decisions of the current log in the period of the tenant "nobody", got none',
    );
  });

  test('without a policy in the log no bound of the weights is known', async () => {
    expect(await largestWeightIn(clickhouse, await freezePeriod(clickhouse, {}))).toEqual({ claimed: null, largest: null });
  });

  // The last one: it spoils the log.
  test('that contradict themselves are refused: no weight made of them would be right', async () => {
    await append(bus.log, [decided(35, { propensity: 0.5 })]);
    await project(clickhouse, bus);
    await expect(read()).rejects.toThrow(
      /^decision at sequence \d+: expected one probability of the chosen arm "arm-d", got the propensity 0.5 and 0.25 among its candidates/,
    );
  });
});
