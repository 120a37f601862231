import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clickhouse } from '../../../src/projections/clickhouse.ts';
import { armsOfPeriod, freezePeriod, type PeriodQuestion } from '../../../src/replay/logged/logged-decisions.ts';
import { readTraffic } from '../../../src/replay/logged/traffic.ts';
import { append, memoryBus, openShaped, project, testFolder } from '../../support/projection.ts';
import { decided, noEvidence, rewarded } from '../../support/projection-events.ts';
import { shadowed } from '../../support/shadow-events.ts';

describe('what the log holds of a period besides decisions', () => {
  let folder: Awaited<ReturnType<typeof testFolder>>;
  let clickhouse: Clickhouse;

  beforeAll(async () => {
    folder = await testFolder();
    clickhouse = await openShaped(folder.path);
    const bus = memoryBus();
    // A hit has a reward and no decision, and may be judged again. Sequences 1 to 12, in this order.
    const fromCache = (i: number, revision = 0) =>
      rewarded(i, { cause: 'cache', policy: null, decidedAt: null, revision, evidence: noEvidence });
    for (let i = 1; i <= 4; i++) await append(bus.log, [decided(i)]);
    await append(bus.log, [fromCache(20)], [fromCache(21)], [fromCache(21, 1)]);
    await append(bus.log, [shadowed(1, { arm: 'arm-a', latencyMs: 100 }, { arm: 'arm-b', latencyMs: 130 })]);
    await append(bus.log, [decided(5)], [fromCache(22)], [shadowed(2, { arm: 'arm-a' }, { arm: 'arm-c' })]);
    await append(bus.log, [decided(6, { candidates: [{ ...decided(6).data.candidates[0]!, arm: 'arm-z', propensity: 1 }], arm: 'arm-z' })]);
    await project(clickhouse, bus);
    await bus.close();
  });
  afterAll(async () => {
    await clickhouse.close();
    await folder.remove();
  });

  const trafficOf = async (question: PeriodQuestion = {}) => readTraffic(clickhouse, await freezePeriod(clickhouse, question));
  const place = (sequence: number) => ({ kind: 'sequence', sequence }) as const;

  test('requests answered from the cache, each once, and pairs of arms', async () => {
    const { answeredFromCache, shadowed: pairs } = await trafficOf();
    expect(answeredFromCache).toBe(3);
    expect(
      pairs.map(({ deliveredArm, shadowArm, requests, latencyMsDifference }) => [deliveredArm, shadowArm, requests, latencyMsDifference]),
    ).toEqual([
      ['arm-a', 'arm-b', 1, 30],
      ['arm-a', 'arm-c', 1, expect.any(Number)],
    ]);
  });

  test('of this period alone: answers by their own place, shadows by that of the decision, however late they ended', async () => {
    const pairsOf = (found: Awaited<ReturnType<typeof trafficOf>>) => found.shadowed.map(({ shadowArm }) => shadowArm);
    const first = await trafficOf({ to: place(1) });
    expect([first.answeredFromCache, pairsOf(first)]).toEqual([0, ['arm-b']]);
    const rest = await trafficOf({ from: place(2) });
    expect([rest.answeredFromCache, pairsOf(rest)]).toEqual([3, ['arm-c']]);
    expect(await trafficOf({ outcomesUpTo: 7 })).toMatchObject({ shadowed: [] });
    expect(pairsOf(await trafficOf({ outcomesUpTo: 8 }))).toEqual(['arm-b']);
  });

  test('the arms that could be chosen in it', async () => {
    const all = await armsOfPeriod(clickhouse, await freezePeriod(clickhouse, {}));
    expect(all).toContain('arm-z');
    expect(all).toEqual(all.toSorted());
    const before = await armsOfPeriod(clickhouse, await freezePeriod(clickhouse, { to: place(5) }));
    expect(before).toEqual(all.filter((arm) => arm !== 'arm-z'));
  });
});
