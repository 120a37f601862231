import type { DataOf } from '../../events/index.ts';
import type { EvidenceAt } from './evidence.ts';
import { decideRoute, routerStateOf } from './router.ts';

/** Where a logged decision and its repetition part. */
export type Difference = { readonly what: string; readonly logged: string; readonly recomputed: string };

export type Recomputed = { readonly kind: 'same' } | { readonly kind: 'different'; readonly differences: readonly Difference[] };

/** How far, relatively, a recomputed number may lie from the logged one: another processor's exp and log may differ in the last digits. */
const tolerance = 1e-9;

/** Repeats a logged decision from the policy that it names and the evidence at its state sequence: the fold of the log up to there. */
export const recompute = (logged: DataOf<'route.decided'>, policy: DataOf<'policy.activated'>, at: EvidenceAt): Recomputed => {
  const { arms, floor, prior } = policy;
  const decision = decideRoute(logged, { ...policy.policy, arms, floor, prior }, routerStateOf(at));
  const differences: Difference[] = [];
  const compare = (what: string, inLog: string | number, again: string | number | undefined) => {
    if (!isClose(inLog, again)) differences.push({ what, logged: String(inLog), recomputed: String(again) });
  };
  compare('policy version', logged.policy.version, policy.policy.version);
  compare('state sequence', logged.stateSequence, at.sequence);
  compare('outcome', 'chosen', decision.kind);
  if (decision.kind === 'chosen') {
    const { choice } = decision;
    compare('arm', logged.arm, choice.arm);
    compare('floor', logged.floor, choice.floor);
    compare('candidates', names(logged.candidates), names(choice.candidates));
    compare('exclusions', reasons(logged.exclusions), reasons(choice.exclusions));
    logged.candidates.forEach((candidate, i) => {
      compare(`alpha of ${candidate.arm}`, candidate.alpha, choice.candidates[i]?.alpha);
      compare(`beta of ${candidate.arm}`, candidate.beta, choice.candidates[i]?.beta);
      compare(`propensity of ${candidate.arm}`, candidate.propensity, choice.candidates[i]?.propensity);
    });
    compare('propensity', logged.propensity, choice.propensity);
  }
  return differences.length === 0 ? { kind: 'same' } : { kind: 'different', differences };
};

const names = (candidates: readonly { readonly arm: string }[]): string => candidates.map(({ arm }) => arm).join(', ');

const reasons = (exclusions: DataOf<'route.decided'>['exclusions']): string =>
  exclusions.map(({ arm, reason }) => `${arm} (${reason})`).join(', ');

const isClose = (a: string | number, b: string | number | undefined): boolean =>
  typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), tolerance) : a === b;
