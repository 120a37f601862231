import type { RewardWeights } from '../../domain/reward/reward.ts';
import type { Outcome } from '../logged/logged-decision.ts';
import { rewardOf } from '../logged/reward-of.ts';
import type { QuantityName } from './report.ts';

/** What is evaluated: a number for each outcome, null where it was not measured. */
export type Quantity = {
  readonly name: QuantityName;
  readonly better: 'higher' | 'lower';
  /** Whether it lies in 0..1 whatever happens: intervals by betting ask for that. */
  readonly bounded: boolean;
  readonly of: (outcome: Outcome, weights: RewardWeights | null) => number | null;
};

/** Latency counts for failures, too: who waited for nothing waited all the same, and the mean over answers alone would be that of other requests under another policy. */
export const quantities: readonly Quantity[] = [
  { name: 'reward', better: 'higher', bounded: true, of: (outcome, weights) => rewardOf(outcome, weights ?? undefined) },
  { name: 'success', better: 'higher', bounded: true, of: ({ parts }) => parts.success },
  { name: 'streaming', better: 'higher', bounded: true, of: ({ parts }) => parts.streaming },
  { name: 'cache', better: 'higher', bounded: true, of: ({ parts }) => parts.cache },
  { name: 'cost', better: 'higher', bounded: true, of: ({ parts }) => parts.cost },
  { name: 'costUsd', better: 'lower', bounded: false, of: ({ costUsd }) => costUsd },
  { name: 'latencyMs', better: 'lower', bounded: false, of: ({ latencyMs }) => latencyMs },
  { name: 'failureRate', better: 'lower', bounded: true, of: ({ failed }) => (failed === null ? null : failed ? 1 : 0) },
];
