import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewardRecorded } from '../../../src/events/index.ts';
import type { Judgement } from '../../../src/domain/reward/judgement.ts';
import {
  reviseReward,
  rewardForCacheHit,
  rewardForCompletion,
  rewardForFailure,
  weigh,
  type RewardRecorded,
} from '../../../src/domain/reward/reward.ts';
import { completion, filing, weights } from '../support/events.ts';

const config = { weights, firstTokenTargetMs: 1_000, stallTargetMs: 2_000, costTargetUsd: 0.002 };
const reward = (changes: Partial<typeof completion> = {}, cached = false) =>
  rewardForCompletion({ completed: { ...completion, ...changes }, cached, filing, config });

/** What an event adds to the evidence when no arm learns from it. */
const untried = {
  trials: 0,
  measured: 0,
  failures: 0,
  success: 0,
  streaming: 0,
  cache: 0,
  cost: 0,
  successSquare: 0,
  streamingSquare: 0,
  cacheSquare: 0,
  costSquare: 0,
};
const unused = { costNanoUsd: 0, spendSquare: 0, latencyMs: 0, promptTokens: 0, completionTokens: 0 };

describe('the reward of an answer', () => {
  it('is full for one that is whole, at once, free and kept', () => {
    expect(reward({}, true)).toEqual({
      arm: 'quick',
      model: 'small',
      revision: 0,
      cause: 'completion',
      parts: { success: 1_000_000, streaming: 1_000_000, cache: 1_000_000, cost: 1_000_000 },
      weights,
      rewardMicro: 1_000_000,
      ...filing,
      evidence: {
        trials: 1,
        measured: 1,
        failures: 0,
        success: 1_000_000,
        streaming: 1_000_000,
        cache: 1_000_000,
        cost: 1_000_000,
        successSquare: 1_000_000,
        streamingSquare: 1_000_000,
        cacheSquare: 1_000_000,
        costSquare: 1_000_000,
        costNanoUsd: 0,
        spendSquare: 0,
        latencyMs: 0,
        promptTokens: 10,
        completionTokens: 20,
      },
    });
  });

  it('brings what the answer used into the evidence: whole milliseconds, the cost and the square of its millionths of a dollar', () => {
    expect(reward({ costNanoUsd: 2_500_000, latencyMs: 812.6, promptTokens: 7, completionTokens: 9 }).evidence).toMatchObject({
      costNanoUsd: 2_500_000,
      spendSquare: 250 ** 2,
      latencyMs: 813,
      promptTokens: 7,
      completionTokens: 9,
    });
  });

  it('brings the squares of its parts, in millionths: of 1/2 a quarter, of 1/3 a ninth', () => {
    const { evidence, parts } = reward({ finishReason: 'length', costNanoUsd: 4_000_000 });
    expect(parts).toMatchObject({ success: 500_000, cost: 333_333 });
    expect(evidence).toMatchObject({ successSquare: 250_000, costSquare: 111_111 });
  });

  it.each([
    ['stop', 1_000_000],
    ['tool_calls', 1_000_000],
    ['length', 500_000],
    ['content_filter', 0],
    ['something new', 500_000],
  ])('finish reason %s gives a success of %i', (finishReason, success) => {
    expect(reward({ finishReason }).parts.success).toBe(success);
  });

  it('halves streaming at each target and multiplies', () => {
    expect(reward({ firstTokenMs: 1_000 }).parts.streaming).toBe(500_000);
    expect(reward({ longestStallMs: 2_000 }).parts.streaming).toBe(500_000);
    expect(reward({ firstTokenMs: 1_000, longestStallMs: 2_000 }).parts.streaming).toBe(250_000);
  });

  it('takes the whole latency where no stream was asked for', () => {
    expect(reward({ streamed: false, firstTokenMs: 10, longestStallMs: 900, latencyMs: 1_000 }).parts.streaming).toBe(500_000);
  });

  it('halves cost at its target', () => {
    expect(reward({ costNanoUsd: 2_000_000 }).parts.cost).toBe(500_000);
  });

  it('weighs the parts: 0.4 x 0.5 + 0.2 x 0.5 + 0.2 x 0 + 0.2 x 0.5', () => {
    expect(reward({ finishReason: 'length', firstTokenMs: 1_000, costNanoUsd: 2_000_000 }).rewardMicro).toBe(400_000);
  });
});

describe('the reward of a failure', () => {
  const use = { costNanoUsd: 1_000_000, latencyMs: 50.4, promptTokens: 4, completionTokens: 2 };
  const evidenceOfUse = { ...use, spendSquare: 10_000, latencyMs: 50 };
  const failure = (code: 'provider_error' | 'answer_truncated' | 'cancelled' | 'interrupted') =>
    rewardForFailure({ failed: { code, arm: 'quick', model: 'small', ...use }, filing, config });

  it('is a trial worth nothing when the arm failed, and what it used is on record', () => {
    for (const code of ['provider_error', 'answer_truncated'] as const)
      expect(failure(code)).toMatchObject({
        cause: 'failure',
        rewardMicro: 0,
        ...filing,
        evidence: { ...untried, ...evidenceOfUse, trials: 1, measured: 1, failures: 1 },
      });
  });

  it('is no trial when the caller left or our process ended: it is filed nowhere, and what was used still counts for the budget', () => {
    for (const code of ['cancelled', 'interrupted'] as const)
      expect(failure(code)).toMatchObject({
        cause: 'interruption',
        rewardMicro: 0,
        policy: filing.policy,
        cells: [],
        evidence: { ...untried, ...evidenceOfUse },
      });
  });
});

it('an answer from the cache is worth something to the caller and teaches nothing about any arm', () => {
  const cached = rewardForCacheHit({ completed: { ...completion, origin: 'cache', latencyMs: 1 }, config });
  expect(cached).toMatchObject({
    cause: 'cache',
    parts: { success: 1_000_000, cache: 1_000_000, cost: 1_000_000 },
    policy: null,
    decidedAt: null,
    cells: [],
    evidence: { ...untried, ...unused },
  });
});

const completionUse = { costNanoUsd: 5, latencyMs: 1, promptTokens: 1, completionTokens: 1 };
const size = fc.double({ min: 0, max: 1e12, noNaN: true });
const anyFirst: fc.Arbitrary<RewardRecorded> = fc.oneof(
  fc
    .record({
      firstTokenMs: size,
      longestStallMs: size,
      latencyMs: size,
      costNanoUsd: fc.nat(),
      streamed: fc.boolean(),
      cached: fc.boolean(),
    })
    .map(({ cached, ...changes }) => reward(changes, cached)),
  fc
    .constantFrom('provider_timeout', 'cancelled')
    .map((code) => rewardForFailure({ failed: { code, arm: 'quick', model: 'small', ...completionUse }, filing, config })),
  fc.constant(rewardForCacheHit({ completed: completion, config })),
);

describe('laws', () => {
  it('every reward fits the schema of its event', () => {
    fc.assert(
      fc.property(anyFirst, (first) => {
        rewardRecorded.data.parse(first);
      }),
      { seed: 51 },
    );
  });

  const anyJudgement: fc.Arbitrary<Judgement> = fc.record({
    feedbackId: fc.uuid(),
    kind: fc.constantFrom('measured', 'thumb', 'score', 'outcome'),
    scoreMicro: fc.integer({ min: 0, max: 1_000_000 }),
  });

  it('the evidence of all revisions sums to the last parts with one trial, or to nothing where the request does not count', () => {
    fc.assert(
      fc.property(anyFirst, fc.array(anyJudgement, { maxLength: 20 }), (first, judgements) => {
        const revisions = [first];
        const { policy, decidedAt, cells } = first;
        const filed = { policy, decidedAt, cells };
        for (const judgement of judgements) {
          const { judgedBy, ...last } = revisions.at(-1)!;
          revisions.push(reviseReward({ ...last, filing: filed, judgedBy, counts: first.evidence.trials === 1 }, judgement, weights));
        }
        const last = revisions.at(-1)!;
        const sum = (field: keyof RewardRecorded['evidence']) => revisions.reduce((total, { evidence }) => total + evidence[field], 0);
        const parts = { success: sum('success'), streaming: sum('streaming'), cache: sum('cache'), cost: sum('cost') };
        expect(sum('trials')).toBe(first.evidence.trials);
        // The square that is left is that of the part that stands; what was used is counted once.
        expect(sum('successSquare')).toBe(
          first.evidence.trials === 1 ? Math.round((last.parts.success * last.parts.success) / 1_000_000) : 0,
        );
        for (const field of [
          'measured',
          'failures',
          'costNanoUsd',
          'spendSquare',
          'latencyMs',
          'promptTokens',
          'completionTokens',
        ] as const)
          expect(sum(field)).toBe(first.evidence[field]);
        for (const revision of revisions) expect(revision).toMatchObject(filed);
        expect(parts).toEqual(first.evidence.trials === 1 ? last.parts : { success: 0, streaming: 0, cache: 0, cost: 0 });
        expect(last.revision).toBe(judgements.length);
        const highest = (['outcome', 'score', 'thumb', 'measured'] as const).find((kind) => judgements.some((it) => it.kind === kind));
        const stands = judgements.findLast(({ kind }) => kind === highest);
        if (stands !== undefined)
          expect(last).toMatchObject({ cause: 'feedback', judgedBy: highest, parts: { ...first.parts, success: stands.scoreMicro } });
        for (const revision of revisions) rewardRecorded.data.parse(revision);
      }),
      { seed: 52 },
    );
  });

  it('the reward is the weighted sum, rounded to the nearest millionth, and never above one', () => {
    fc.assert(
      fc.property(
        fc.record({ success: fc.nat(1_000_000), streaming: fc.nat(1_000_000), cache: fc.nat(1_000_000), cost: fc.nat(1_000_000) }),
        (parts) => {
          const exact = (4 * parts.success + 2 * parts.streaming + 2 * parts.cache + 2 * parts.cost) / 10;
          expect(Math.abs(weigh(parts, weights) - exact)).toBeLessThanOrEqual(0.5 + 1e-9);
        },
      ),
      { seed: 53 },
    );
    const full = { success: 1_000_000, streaming: 1_000_000, cache: 1_000_000, cost: 1_000_000 };
    expect(weigh(full, { success: 0.7, streaming: 0.1, cache: 0.1, cost: 0.1 + 5e-10 })).toBe(1_000_000);
  });
});
