import type { DataOf, FailureCode, FeedbackKind } from '../../events/index.ts';
import { prevailing, type Judgement } from './judgement.ts';

/**
 * What a request was worth, in four parts of 0 to 1, kept in whole millionths. Explained in docs/reward.md.
 *
 *   success    1 when the answer ended by itself, 1/2 when it was cut at a length limit, 0 when it was filtered or failed; the judgement that stands takes its place
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
  readonly filing: Filing;
  readonly config: RewardSettings;
}): RewardRecorded => {
  const { completed, cached, filing, config } = given;
  const parts: RewardParts = {
    success: successOf(completed.finishReason),
    streaming: streamingOf(completed, config),
    cache: cached ? million : 0,
    cost: micro(costPart(completed.costNanoUsd / nanoUsdPerUsd, config.costTargetUsd)),
  };
  return firstReward(completed, 'completion', parts, config.weights, filing);
};

/**
 * A failure of the arm is worth nothing, also where it cost nothing: an arm that always fails at once would otherwise earn the cost part in full, and win for a
 * tenant who weighs cost most. `no_candidate` has no arm and so no reward.
 */
export const rewardForFailure = (given: {
  readonly failed: Measured & Pick<DataOf<'response.failed'>, 'code'>;
  readonly filing: Filing;
  readonly config: RewardSettings;
}): RewardRecorded => {
  const { failed, filing, config } = given;
  return othersFault.has(failed.code)
    ? firstReward(failed, 'interruption', nothing, config.weights, { ...filing, cells: [] })
    : firstReward(failed, 'failure', nothing, config.weights, filing);
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
  return firstReward({ ...completed, ...noUse }, 'cache', parts, config.weights, unfiled);
};

/** A reward as it stands in the log. */
export type StandingReward = {
  readonly arm: string;
  readonly model: string;
  readonly revision: number;
  readonly parts: RewardParts;
  /** Whether it counts for the arm: not that of an answer from the cache or of an interruption. */
  readonly counts: boolean;
  readonly filing: Filing;
  /** What the success part rests on; undefined while it is how the answer ended. */
  readonly judgedBy: FeedbackKind | undefined;
};

/** The revision that feedback makes, also when something stands that outranks it. Its evidence is the difference to what stood before. */
export const reviseReward = (standing: StandingReward, judgement: Judgement, weights: RewardWeights): RewardRecorded => {
  const { arm, model, counts, filing } = standing;
  const judgedBy = prevailing(judgement.kind, standing.judgedBy);
  const parts: RewardParts = judgedBy === judgement.kind ? { ...standing.parts, success: judgement.scoreMicro } : standing.parts;
  return {
    arm,
    model,
    revision: standing.revision + 1,
    cause: 'feedback',
    feedbackId: judgement.feedbackId,
    judgedBy,
    parts,
    weights,
    rewardMicro: weigh(parts, weights),
    ...filing,
    evidence: {
      trials: 0,
      measured: 0,
      failures: 0,
      ...withSquares(nothing),
      success: counts ? parts.success - standing.parts.success : 0,
      successSquare: counts ? squared(parts.success) - squared(standing.parts.success) : 0,
      ...noUse,
      spendSquare: 0,
    },
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
  measured: Measured,
  cause: RewardRecorded['cause'],
  parts: RewardParts,
  weights: RewardWeights,
  filing: Filing,
): RewardRecorded => {
  const { arm, model, costNanoUsd, latencyMs, promptTokens, completionTokens } = measured;
  const counts = filing.cells.length > 0;
  return {
    arm,
    model,
    revision: 0,
    cause,
    parts,
    weights,
    rewardMicro: weigh(parts, weights),
    ...filing,
    evidence: {
      trials: counts ? 1 : 0,
      measured: counts ? 1 : 0,
      failures: counts && cause === 'failure' ? 1 : 0,
      ...(counts ? withSquares(parts) : withSquares(nothing)),
      costNanoUsd,
      spendSquare: Math.ceil((costNanoUsd / 10_000) ** 2),
      latencyMs: Math.round(latencyMs),
      promptTokens,
      completionTokens,
    },
  };
};

/** Under which decision a reward is filed. Without cells no arm learns from it. */
export type Filing = Pick<RewardRecorded, 'policy' | 'decidedAt' | 'cells'>;

const unfiled: Filing = { policy: null, decidedAt: null, cells: [] };

/** What an attempt did use. */
type Measured = Pick<DataOf<'response.completed'>, 'arm' | 'model' | 'costNanoUsd' | 'latencyMs' | 'promptTokens' | 'completionTokens'>;
const noUse = { costNanoUsd: 0, latencyMs: 0, promptTokens: 0, completionTokens: 0 };

const withSquares = (parts: RewardParts) => ({
  ...parts,
  successSquare: squared(parts.success),
  streamingSquare: squared(parts.streaming),
  cacheSquare: squared(parts.cache),
  costSquare: squared(parts.cost),
});

/** Of a part in millionths, in millionths. */
const squared = (part: number): number => Math.round((part * part) / million);

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

/** The cost part of an answer, 0 to 1. */
export const costPart = (costUsd: number, targetUsd: number): number => decline(costUsd, targetUsd);

/** 1 at 0, 1/2 at the target, towards 0 beyond. */
const decline = (value: number, target: number): number => 1 / (1 + value / target);

const micro = (share: number): number => Math.round(share * million);
