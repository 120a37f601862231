import type { DataOf, PolicySpec, RecordedFeatures } from '../../../events/index.ts';
import type { RewardWeights } from '../../reward/reward.ts';
import type { Evidence } from '../evidence.ts';

/**
 * The port that all policies stand behind: from a request and the evidence, how often each candidate should be drawn. Exclusions come before it; the floor, trials of new arms and the draw
 * itself come after it, the same for all. A policy is pure: the same arguments give the same bytes.
 */
export type Policy = {
  readonly weigh: (question: PolicyQuestion, evidence: Evidence) => Weighed;
};

export type PolicyQuestion = {
  /** Those that may be drawn, at least one. */
  readonly candidates: readonly string[];
  /** For each candidate what is added to its reward before comparing: less the prices of its money and time, more for staying with it. */
  readonly adjustments: readonly number[];
  readonly features: RecordedFeatures;
  /** The kinds of request that this one belongs to, from coarse to fine; the first is the one of all requests. */
  readonly cells: readonly string[];
  readonly weights: RewardWeights;
  readonly nowTick: number;
};

export type Posterior = NonNullable<DataOf<'route.decided'>['candidates'][number]['posterior']>;

export type Weighed = {
  /** For each candidate, what is believed of its reward for this request, without the adjustment. Null: the policy believes nothing. */
  readonly posteriors: readonly (Posterior | null)[];
  /** For each candidate the probability with which it is chosen; they sum to 1 within 1e-12. */
  readonly shares: readonly number[];
};

export type SpecOf<Kind extends PolicySpec['kind']> = Extract<PolicySpec, { kind: Kind }>;
