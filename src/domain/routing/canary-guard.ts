import type { DataOf } from '../../events/index.ts';
import { timeUniformWidth } from '../comparison/time-uniform.ts';
import { fieldIndex, type EvidenceField, type Sums } from './sums.ts';
import { rewardSum, rewardVariance, trialsOf } from './reading.ts';
import { runningCanary, type RouterState, type Trial } from './state.ts';

/**
 * Whether a canary is worse than the policy in force. It is looked at all the time, so a test for one look would take back every good canary sooner or later: what is needed is a
 * confidence sequence, whose ends hold at all looks together. From n, sum and sum of squares of both sides alone:
 *
 *   difference of means  d = m1 - m0   (1: canary, 0: policy in force)
 *   its standard error   s = sqrt(v1 / n1 + v0 / n0)
 *   low, high            d -+ s sqrt(2 (N r^2 + 1) / (N r^2) ln(1 + sqrt(N r^2 + 1) / (2 a))),   N = n1 + n0
 *
 * This is the one-sided asymptotic confidence sequence with a normal mixture of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences", Annals of Statistics 52 (2024), theorem 2.2 and its one-sided form, for the mean over all N requests of the influence of each on d. `a` is a third of 1 - confidence:
 * by the union bound reward, errors and cost together raise a false alarm with at most 1 - confidence, however long one looks. `r` makes the sequence tightest at four times the least number of requests.
 *
 * 1. A side is judged from `minRequests` requests on; asymptotic means that the bound holds from there only approximately, the better the more requests.
 * 2. Variances are estimated from above: a side that has only seen equal values may still see others.
 * 3. Worse means by more than the margin. The costs of requests that callers broke off count, spread over the others.
 *
 * Requests of one conversation are taken for independent; where few conversations are long, ask for more requests and more confidence.
 */
type Evidence = NonNullable<DataOf<'policy.canary_ended'>['evidence']>;

/** Means and differences: reward 0 to 1, share of failures, cost in 1e-9 dollars. */
export type Comparison = Evidence & {
  /** In the unit of the means. */
  readonly margin: number;
  readonly isWorse: boolean;
};

export type GuardedCanary = Pick<DataOf<'policy.canary_started'>, 'share' | 'guard' | 'weights'>;

/** All three quantities; null until both sides have the requests that the guard asks for. */
export const compareCanary = ({ share, guard, weights }: GuardedCanary, { stable, canary }: Trial): readonly Comparison[] | null => {
  if (Math.min(trialsOf(stable), trialsOf(canary)) < guard.minRequests) return null;
  const width = timeUniformWidth(trialsOf(stable) + trialsOf(canary), (4 * guard.minRequests) / share, (1 - guard.confidence) / quantities);
  const compare = (quantity: Evidence['quantity'], of: (sums: Sums) => Moments, marginOf: (stableMean: number) => Margin): Comparison => {
    const before = of(stable);
    const after = of(canary);
    const margin = marginOf(before.mean);
    const difference = after.mean - before.mean;
    const error = Math.sqrt(after.variance / trialsOf(canary) + (margin.scale ** 2 * before.variance) / trialsOf(stable));
    const low = difference - width * error;
    const high = difference + width * error;
    return {
      quantity,
      stable: { requests: trialsOf(stable), mean: before.mean },
      canary: { requests: trialsOf(canary), mean: after.mean },
      difference,
      low,
      high,
      confidence: guard.confidence,
      margin: margin.value,
      isWorse: quantity === 'reward' ? high < -margin.value : low > margin.value,
    };
  };
  return [
    compare('errors', errorsOf, () => ({ value: guard.errorMargin, scale: 1 })),
    compare(
      'reward',
      (sums) => ({ mean: rewardSum(sums, weights) / trialsOf(sums), variance: rewardVariance(sums, weights) }),
      () => ({ value: guard.rewardMargin, scale: 1 }),
    ),
    // d > c m0 means m1 > (1 + c) m0: the margin is as uncertain as the mean that it is a part of.
    compare('cost', costOf, (mean) => ({ value: guard.costMargin * mean, scale: 1 + guard.costMargin })),
  ];
};

export type CanaryReport = {
  readonly requests: { readonly stable: number; readonly canary: number };
  readonly comparisons: readonly Comparison[] | null;
  /** Why it has to be taken back; null while there is no reason. */
  readonly verdict: { readonly evidence: Evidence; readonly reason: string } | null;
};

/** How the running canary does; null when none runs. */
export const reportOnCanary = (state: RouterState): CanaryReport | null => {
  const running = runningCanary(state);
  if (running === null) return null;
  const { trial } = state;
  const comparisons = compareCanary(running.event, trial);
  const worse = comparisons?.find(({ isWorse }) => isWorse);
  return {
    requests: { stable: trialsOf(trial.stable), canary: trialsOf(trial.canary) },
    comparisons,
    verdict: worse === undefined ? null : verdictOf(worse),
  };
};

const verdictOf = (worse: Comparison): CanaryReport['verdict'] => {
  const { margin, isWorse: _isWorse, ...evidence } = worse;
  return { evidence, reason: inWords(evidence, margin) };
};

/** Reward, errors, cost. */
const quantities = 3;

type Moments = { readonly mean: number; readonly variance: number };
/** `scale`: of the stable mean in the difference that is tested against zero. */
type Margin = { readonly value: number; readonly scale: number };

const field = (sums: Sums, name: EvidenceField): number => sums[fieldIndex[name]] ?? 0;

/** The variance as if half a request more had failed, and half a one succeeded. */
const errorsOf = (sums: Sums): Moments => {
  const n = trialsOf(sums);
  const failures = field(sums, 'failures');
  const share = (failures + 0.5) / (n + 1);
  return { mean: failures / n, variance: share * (1 - share) };
};

/** The variance as if one request more had deviated by the whole mean. Squares are kept in (1e-5 dollars)^2, each rounded up. */
const costOf = (sums: Sums): Moments => {
  const n = trialsOf(sums);
  const mean = field(sums, 'costNanoUsd') / n;
  const variance = Math.max(0, (field(sums, 'spendSquare') / n) * squareNano - mean * mean);
  return { mean, variance: variance + (mean * mean) / (n + 1) };
};
const squareNano = 10_000 ** 2;

const inWords = ({ quantity, stable, canary, low, high, confidence }: Evidence, margin: number): string => {
  const [what, say] = (
    {
      errors: ['failures', inShares],
      reward: ['reward', inShares],
      cost: ['cost', inDollars],
    } as const
  )[quantity];
  return `${what}: ${say(canary.mean)} in ${canary.requests} requests against ${say(stable.mean)} in ${stable.requests} of the policy in force; the difference is ${say(low)} to ${say(high)} with ${(100 * confidence).toFixed(1)} % confidence, the margin ${say(margin)}`;
};

const inShares = (value: number): string => value.toFixed(4);

/** Of 1e-9 dollars, to that digit: costs of a request are often below a thousandth of a dollar. */
const inDollars = (nanoUsd: number): string => {
  const [whole = '0', fraction = ''] = (Math.abs(nanoUsd) / 1e9).toFixed(9).split('.');
  return `${nanoUsd < 0 ? '-' : ''}$${whole}.${fraction.replace(/0{1,7}$/, '')}`;
};
