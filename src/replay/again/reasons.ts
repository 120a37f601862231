import { isOfCanary } from '../../domain/routing/assignment.ts';
import { pick } from '../../domain/routing/draw.ts';
import { policyVersion } from '../../domain/routing/policy-version.ts';
import type { Difference } from '../../domain/routing/recompute.ts';
import { runningCanary, type RouterState } from '../../domain/routing/state.ts';
import type { DataOf } from '../../events/index.ts';
import type { Health, PlacedDecision } from './walk.ts';

/** Why a decision does not come out as it was logged, or cannot be made again. Each has its sentence; the first that holds is the one that is told. */
export const reasons = ['out-of-reach', 'unreadable', 'feature-version', 'tampered', 'policy-version', 'missing-event', 'code'] as const;
export type Reason = (typeof reasons)[number];

export type Because = { readonly reason: Reason; readonly sentence: string };

/** Of the features: those that decisions are made from, and those that can be read at all. A decision of version 1 was made from cells that nobody keeps any more. */
const currentFeaturesVersion = 2;
export const knownFeaturesVersions: ReadonlySet<number> = new Set([1, currentFeaturesVersion]);

/** What there is to say about a decision that was repeated and came out differently. `state` is the one that it names. */
export const becauseOf = (decision: PlacedDecision, differences: readonly Difference[], state: RouterState, health: Health): Because => {
  const { data } = decision.event;
  if (data.features.version !== currentFeaturesVersion)
    return because(
      'feature-version',
      `it was decided from features of version ${data.features.version}, this code weighs those of version ${currentFeaturesVersion}`,
    );
  const contradiction = contradictionIn(data);
  if (contradiction !== null) return tampered(contradiction);
  // Before all that is read from the state: which policy is in force there, for instance.
  if (health.missing !== null)
    return notWhole(
      `${several(health.missing.count, 'message')} before it ${verb(health.missing.count, 'is', 'are')} not there, the first ${health.missing.first}`,
    );
  const lot = wrongLot(decision, state);
  if (lot !== null) return tampered(lot);
  const policy = policyFault(data, differences, state);
  if (policy !== null) return because('policy-version', policy);
  const missing = missingIn(health);
  if (missing !== null) return notWhole(missing);
  return because(
    'code',
    'state and policy agree and the figures do not: this code decides differently, or one of these figures was changed in the log',
  );
};

const tampered = (contradiction: string): Because => because('tampered', `the record contradicts itself: ${contradiction}`);
const notWhole = (lack: string): Because => because('missing-event', `the state that it was made from cannot be had whole: ${lack}`);

export const because = (reason: Reason, sentence: string): Because => ({ reason, sentence });

/** The router computes the one from the other, so that no state makes these differ. A draw that was changed and still picks the same arm cannot be told from one that was drawn. */
const contradictionIn = ({ arm, candidates, draw, propensity }: DataOf<'route.decided'>): string | null => {
  const probabilities = candidates.map((candidate) => candidate.propensity);
  const own = candidates.find((candidate) => candidate.arm === arm)?.propensity;
  if (own === undefined) return `the arm ${arm} is not among its candidates`;
  if (own !== propensity) return `the propensity is ${propensity}, that of the candidate ${arm} is ${own}`;
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  if (Math.abs(sum - 1) > 1e-9) return `its probabilities sum to ${sum}`;
  const picked = candidates[pick(probabilities, draw)]?.arm ?? 'nothing';
  return picked === arm ? null : `the draw ${draw} picks ${picked}, not ${arm}`;
};

/** Who decides while a canary runs follows from its number and the request (src/domain/routing/assignment.ts). */
const wrongLot = ({ event }: PlacedDecision, state: RouterState): string | null => {
  const running = runningCanary(state);
  if (running === null) return null;
  const { data, tenant, correlationid } = event;
  const ofCanary = isOfCanary(running.event, data.conversation?.id ?? `${tenant}:${correlationid}`);
  return ofCanary === data.policy.canary
    ? null
    : `it names ${data.policy.canary ? 'the canary' : 'the policy in force'}, and the request fell to the other`;
};

const policyFault = ({ policy }: DataOf<'route.decided'>, differences: readonly Difference[], state: RouterState): string | null => {
  const content = (policy.canary ? runningCanary(state) : state.policy)?.event;
  if (content === undefined)
    return `the log names no ${policy.canary ? 'canary' : 'policy'} before it; ${policy.id} ${policy.version} decided`;
  if (differences.some(({ what }) => what === 'policy' || what === 'policy version'))
    return `${policy.id} ${policy.version} decided, the log has ${content.policy.id} ${content.policy.version} in force there`;
  const seen = policyVersion(content);
  return seen === policy.version ? null : `what the log holds of ${policy.id} ${policy.version} has the fingerprint ${seen} by this code`;
};

const missingIn = ({ unreadable, withoutReward }: Health): string | null => {
  if (withoutReward !== null)
    return `${several(withoutReward.count, 'answer')} before it ${verb(withoutReward.count, 'lacks its', 'lack their')} reward, the first at ${withoutReward.first}`;
  return unreadable === null
    ? null
    : `${several(unreadable.count, 'message')} before it cannot be understood, the first ${unreadable.first}`;
};

const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const verb = (count: number, one: string, many: string): string => (count === 1 ? one : many);
