import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewardRecorded } from '../../../src/events/index.ts';
import {
  reviseReward,
  rewardForCacheHit,
  rewardForCompletion,
  rewardForFailure,
  weigh,
  type RewardRecorded,
} from '../../../src/domain/reward/reward.ts';
import { addEvidence, noEvidence } from '../../../src/domain/routing/evidence.ts';
import { completion, weights } from '../support/events.ts';

const config = { weights, firstTokenTargetMs: 1_000, stallTargetMs: 2_000, costTargetUsd: 0.002 };
const reward = (changes: Partial<typeof completion> = {}, cached = false) =>
  rewardForCompletion({ completed: { ...completion, ...changes }, cached, config });

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
      evidence: { trials: 1, success: 1_000_000, streaming: 1_000_000, cache: 1_000_000, cost: 1_000_000 },
    });
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
  const failure = (code: 'provider_error' | 'answer_truncated' | 'cancelled' | 'interrupted') =>
    rewardForFailure({ failed: { code, arm: 'quick', model: 'small' }, config });

  it('is a trial worth nothing when the arm failed', () => {
    for (const code of ['provider_error', 'answer_truncated'] as const)
      expect(failure(code)).toMatchObject({ cause: 'failure', rewardMicro: 0, evidence: { ...noEvidence, trials: 1 } });
  });

  it('is no trial when the caller left or our process ended', () => {
    for (const code of ['cancelled', 'interrupted'] as const)
      expect(failure(code)).toMatchObject({ cause: 'interruption', rewardMicro: 0, evidence: noEvidence });
  });
});

it('an answer from the cache is worth something to the caller and teaches nothing about any arm', () => {
  const cached = rewardForCacheHit({ completed: { ...completion, origin: 'cache', latencyMs: 1 }, config });
  expect(cached).toMatchObject({ cause: 'cache', parts: { success: 1_000_000, cache: 1_000_000, cost: 1_000_000 }, evidence: noEvidence });
});

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
    .map((code) => rewardForFailure({ failed: { code, arm: 'quick', model: 'small' }, config })),
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

  it('the evidence of all revisions sums to the last parts with one trial, or to nothing where the request does not count', () => {
    fc.assert(
      fc.property(anyFirst, fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 20 }), (first, scores) => {
        const revisions = [first];
        for (const score of scores) {
          const last = revisions.at(-1)!;
          revisions.push(reviseReward({ ...last, counts: first.evidence.trials === 1 }, score, weights));
        }
        const last = revisions.at(-1)!;
        const sum = revisions.reduce((total, { evidence }) => addEvidence(total, evidence), noEvidence);
        expect(sum).toEqual(first.evidence.trials === 1 ? { trials: 1, ...last.parts } : noEvidence);
        expect(last.revision).toBe(scores.length);
        if (scores.length > 0) expect(last).toMatchObject({ cause: 'feedback', parts: { ...first.parts, success: scores.at(-1) } });
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
