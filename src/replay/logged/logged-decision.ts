import type { RoutingInput } from '../../domain/routing/router.ts';
import type { RewardWeights } from '../../domain/reward/reward.ts';

/** A decision as it was logged, with what came of it: what replay and evaluation read, from ClickHouse or from a file. */
export type LoggedDecision = {
  /** Unique; a second record with the same id is a duplicate, left out and counted. */
  readonly id: string;
  readonly atMs: number;
  readonly tenant: string;
  /** The conversation, or the id of a record that belongs to none. Records of one cluster are not independent. */
  readonly cluster: string;
  /** Name and fingerprint of the policy that decided. */
  readonly policy: string;
  /** The arm that was chosen, and the probability with which it was. */
  readonly arm: string;
  readonly propensity: number;
  /** All arms that could be chosen, and their probabilities in the same order, that of the chosen one being `propensity`; null in logs that hold the chosen one's alone. */
  readonly candidates: { readonly arms: readonly string[]; readonly propensities: readonly number[] } | null;
  /** Kinds of request from coarse to fine, for reward models. */
  readonly cells: readonly string[];
  readonly context: Context;
  /** Null: nothing came yet, or ever (censored). */
  readonly outcome: Outcome | null;
};

export type Context =
  /** A request to the yard: all that a policy may know of it. */
  | {
      readonly kind: 'request';
      readonly input: Omit<RoutingInput, 'draw'>;
      readonly draw: number;
      readonly stateSequence: number;
      readonly moment: Moment;
    }
  /** A record of another system: a slot on a page, for instance; 0 where there is only one. */
  | { readonly kind: 'slot'; readonly slot: number };

/** What held in the yard at that moment, whichever policy decided: arms whose circuit breaker was open, and the prices of money and time (0: none). */
export type Moment = { readonly brokenArms: readonly string[]; readonly rewardPerUsd: number; readonly rewardPerSecond: number };

/** How far two figures of one probability may be apart, as a part of the larger: they were written with fewer digits elsewhere. */
const probabilityTolerance = 1e-6;

/** Whether a propensity and the list of candidates tell different probabilities of the chosen arm: then one of them is not what the decision was drawn with, and every weight made of it is wrong. */
export const contradicts = (propensity: number, listed: number): boolean =>
  !(Math.abs(propensity - listed) <= probabilityTolerance * Math.max(propensity, listed));

/** As it stands after the last revision. Null is what was not measured. */
export type Outcome = {
  /** 0 to 1. */
  readonly parts: Readonly<Record<keyof RewardWeights, number | null>>;
  /** Weights in force when it was recorded. */
  readonly weights: RewardWeights;
  readonly failed: boolean | null;
  readonly costUsd: number | null;
  readonly latencyMs: number | null;
  /** What the cost follows from under a price; null where nobody counted them. */
  readonly tokens: { readonly prompt: number; readonly completion: number } | null;
};
