import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBlock, addEvidence, emptyEvidence, type Evidence } from '../../../src/domain/routing/evidence.ts';
import { partition, sumsOfBlock } from '../../../src/domain/routing/series.ts';
import { evidenceFields, fieldIndex, noSums, sumsOf } from '../../../src/domain/routing/sums.ts';
import { reviseReward, rewardForCompletion } from '../../../src/domain/reward/reward.ts';
import { blockSpan, blockStart } from '../../../src/domain/routing/time-blocks.ts';
import { completion, filing, weights } from '../support/events.ts';
import { atTick, learn, startTick } from '../support/routing.ts';

const blocksOf = (evidence: Evidence, arm = 'quick', cell = 'all') => {
  const series = evidence.arms.get(arm)!.cells.get(cell)!;
  partition(series, evidence.latestTick);
  return series.starts.map((start, block) => ({ start, span: series.spans[block]!, sums: [...sumsOfBlock(series, block)] }));
};

describe('evidence', () => {
  it('is kept by arm and cell, and each cell of a reward gets all of it', () => {
    const evidence = emptyEvidence();
    learn(evidence, 'quick', { reward: 0.25, cells: ['all', 'kind:other'] });
    learn(evidence, 'quick', { reward: 1, cells: ['all'] });
    learn(evidence, 'careful', { reward: 0.5 });
    const success = (arm: string, cell: string) => evidence.arms.get(arm)?.cells.get(cell)?.total[fieldIndex.success];
    expect([success('quick', 'all'), success('quick', 'kind:other'), success('careful', 'all'), success('careful', 'kind:other')]).toEqual([
      1_250_000,
      250_000,
      500_000,
      undefined,
    ]);
  });

  it('takes no more than 305 blocks for a year of rewards, none lost, and each block is one of the partition', () => {
    const evidence = emptyEvidence();
    const year = Math.ceil((365 * 86_400) / 16);
    // Every 61st tick, and all of the last hours: two million rewards would say no more.
    const ticks = Array.from({ length: year }, (_, tick) => tick).filter((tick) => tick % 61 === 0 || tick > year - 1_000);
    for (const tick of ticks) learn(evidence, 'quick', { reward: 1, ticks: tick });
    const blocks = blocksOf(evidence);
    // 288 to 305, by where the grid lies under the latest tick: the last 32 to 40 ticks singly, then some 16 of each span.
    expect(blocks.length).toBeLessThanOrEqual(305);
    expect(blocks.reduce((sum, { sums }) => sum + sums[fieldIndex.trials]!, 0)).toBe(ticks.length);
    for (const { start, span } of blocks)
      expect([blockStart(start, evidence.latestTick), blockSpan(start, evidence.latestTick)]).toEqual([start, span]);
  });

  it('of the same rewards is equal in any order, also when the latest comes first', () => {
    const reward = fc.record({
      ticks: fc.oneof(fc.nat(100), fc.nat(3_000_000)),
      reward: fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000),
    });
    fc.assert(
      fc.property(
        fc
          .array(reward, { minLength: 1, maxLength: 60 })
          .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          const fold = (rewards: typeof list) => rewards.reduce((evidence, one) => learn(evidence, 'quick', one), emptyEvidence());
          expect(blocksOf(fold(shuffled))).toEqual(blocksOf(fold(list)));
        },
      ),
      { seed: 61, numRuns: 200 },
    );
  });

  it('summed elsewhere by a finer partition is the same', () => {
    const [live, summed] = [emptyEvidence(), emptyEvidence()];
    for (const ticks of [0, 1, 5, 300, 20_000, 20_001]) learn(live, 'quick', { reward: 0.5, ticks });
    summed.latestTick = live.latestTick;
    for (const ticks of [20_001, 20_000, 300, 5, 1, 0]) {
      const one = learn(emptyEvidence(), 'quick', { reward: 0.5, ticks });
      addBlock(summed, 'quick', 'all', startTick + ticks, one.arms.get('quick')!.cells.get('all')!.total);
    }
    expect(blocksOf(summed)).toEqual(blocksOf(live));
  });

  it('of a reward and its revisions sums to one trial with the parts and squares that stand last, in the block of the decision', () => {
    const config = { weights, firstTokenTargetMs: 1_000, stallTargetMs: 2_000, costTargetUsd: 0.002 };
    const completed = { ...completion, costNanoUsd: 1_234_567, latencyMs: 812.4, completionTokens: 77 };
    const first = rewardForCompletion({ completed, cached: false, filing, config });
    const judged = reviseReward(
      { ...first, filing, judgedBy: undefined, counts: true },
      { feedbackId: 'f', kind: 'thumb', scoreMicro: 300_000 },
      weights,
    );
    const again = reviseReward(
      { ...judged, filing, judgedBy: 'thumb', counts: true },
      { feedbackId: 'g', kind: 'score', scoreMicro: 700_000 },
      weights,
    );
    const evidence = emptyEvidence();
    for (const { evidence: delta } of [again, first, judged]) addEvidence(evidence, 'quick', ['all'], atTick(3), sumsOf(delta));
    learn(evidence, 'quick', { reward: 1, ticks: 900 });
    const [block] = blocksOf(evidence);
    const { parts } = again;
    const expected = { ...first.evidence, ...parts, success: 700_000, successSquare: 490_000 };
    expect(block?.sums).toEqual(evidenceFields.map((field) => expected[field]));
    expect(parts).toEqual({ ...first.parts, success: 700_000 });
    expect(noSums()).toHaveLength(evidenceFields.length);
  });
});
