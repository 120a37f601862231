import type { DataOf, FailureCode } from '../../events/index.ts';

/**
 * What a request was worth, in four parts of 0 to 1, kept in whole millionths. Explained in docs/reward.md.
 *
 *   success    1 when the answer ended by itself, 1/2 when it was cut at a length limit, 0 when it was filtered or failed; feedback's score takes its place
 *   streaming  1 / (1 + t / target) for the time to the first token, times the same for the longest pause
 *   cache      1 when the answer entered the cache, else 0
 *   cost       1 / (1 + cost / target)
 *
 * 1. The reward is the weighted sum of the parts, rounded to the nearest millionth. Evidence keeps the parts apart, so that other weights need no new learning.
 * 2. The evidence of all revisions of a request that counts sums to its last parts, with one trial; of one that does not count, to zero.
 */
export type RewardRecorded = DataOf<'reward.recorded'>;
export type RewardParts = RewardRecorded['parts'];
export type RewardWeights = RewardRecorded['weights'];

export type RewardSettings = {
  readonly weights: RewardWeights;
  readonly firstTokenTargetMs: number;
  readonly stallTargetMs: number;
  readonly costTargetUsd: number;
};

const million = 1_000_000;
const nanoUsdPerUsd = 1e9;
const nothing: RewardParts = { success: 0, streaming: 0, cache: 0, cost: 0 };

export const rewardForCompletion = (given: {
  readonly completed: DataOf<'response.completed'>;
  readonly cached: boolean;
  readonly config: RewardSettings;
}): RewardRecorded => {
  const { completed, cached, config } = given;
  const parts: RewardParts = {
    success: successOf(completed.finishReason),
    streaming: streamingOf(completed, config),
    cache: cached ? million : 0,
    cost: micro(decline(completed.costNanoUsd / nanoUsdPerUsd, config.costTargetUsd)),
  };
  return firstReward(completed, 'completion', parts, config.weights, 1);
};

/**
 * A failure of the arm is worth nothing, also where it cost nothing: an arm that always fails at once would otherwise earn the cost part in full, and win for a
 * tenant who weighs cost most. `no_candidate` has no arm and so no reward.
 */
export const rewardForFailure = (given: {
  readonly failed: Pick<DataOf<'response.failed'>, 'code'> & { readonly arm: string; readonly model: string };
  readonly config: RewardSettings;
}): RewardRecorded => {
  const { failed, config } = given;
  return othersFault.has(failed.code)
    ? firstReward(failed, 'interruption', nothing, config.weights, 0)
    : firstReward(failed, 'failure', nothing, config.weights, 1);
};

/** They say nothing of the arm: the caller left, or our own process ended. Recorded, but no trial. */
const othersFault: ReadonlySet<FailureCode> = new Set<FailureCode>(['cancelled', 'interrupted']);

/** An answer from the cache: no arm was chosen, so no arm learns. The parts say what the caller got. */
export const rewardForCacheHit = (given: {
  readonly completed: DataOf<'response.completed'>;
  readonly config: RewardSettings;
}): RewardRecorded => {
  const { completed, config } = given;
  const parts: RewardParts = {
    success: successOf(completed.finishReason),
    streaming: streamingOf(completed, config),
    cache: million,
    cost: million,
  };
  return firstReward(completed, 'cache', parts, config.weights, 0);
};

/** A reward as it stands in the log. */
export type StandingReward = {
  readonly arm: string;
  readonly model: string;
  readonly revision: number;
  readonly parts: RewardParts;
  /** Whether it counts for the arm: not that of an answer from the cache or of an interruption. */
  readonly counts: boolean;
};

/** The revision that feedback makes. Its evidence is the difference to what stood before. */
export const reviseReward = (standing: StandingReward, scoreMicro: number, weights: RewardWeights): RewardRecorded => {
  const { arm, model, counts } = standing;
  const parts: RewardParts = { ...standing.parts, success: scoreMicro };
  return {
    arm,
    model,
    revision: standing.revision + 1,
    cause: 'feedback',
    parts,
    weights,
    rewardMicro: weigh(parts, weights),
    evidence: { ...nothing, trials: 0, success: counts ? scoreMicro - standing.parts.success : 0 },
  };
};

/** The reward in millionths, rounded to the nearest. */
export const weigh = (parts: RewardParts, weights: RewardWeights): number =>
  Math.min(
    million,
    Math.round(
      parts.success * weights.success + parts.streaming * weights.streaming + parts.cache * weights.cache + parts.cost * weights.cost,
    ),
  );

const firstReward = (
  { arm, model }: { readonly arm: string; readonly model: string },
  cause: RewardRecorded['cause'],
  parts: RewardParts,
  weights: RewardWeights,
  trials: 0 | 1,
): RewardRecorded => ({
  arm,
  model,
  revision: 0,
  cause,
  parts,
  weights,
  rewardMicro: weigh(parts, weights),
  evidence: trials === 1 ? { trials, ...parts } : { trials, ...nothing },
});

/** The names that providers give to the end of an answer. One that nobody knows is taken for half: neither blame nor praise. */
const successOf = (finishReason: string): number => {
  switch (finishReason) {
    case 'stop':
    case 'tool_calls':
    case 'function_call':
      return million;
    case 'content_filter':
    case 'error':
      return 0;
    default:
      return million / 2;
  }
};

/** Who did not ask for a stream sees the first text with the last, and no pauses. */
const streamingOf = (completed: DataOf<'response.completed'>, settings: RewardSettings): number =>
  micro(
    completed.streamed
      ? decline(completed.firstTokenMs, settings.firstTokenTargetMs) * decline(completed.longestStallMs, settings.stallTargetMs)
      : decline(completed.latencyMs, settings.firstTokenTargetMs),
  );

/** 1 at 0, 1/2 at the target, towards 0 beyond. */
const decline = (value: number, target: number): number => 1 / (1 + value / target);

const micro = (share: number): number => Math.round(share * million);
