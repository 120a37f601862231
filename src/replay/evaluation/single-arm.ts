import type { Candidate, Weighing } from './candidate.ts';
import type { CandidateReport } from './report.ts';

/**
 * One arm alone, wherever the logger had a choice and the arm was among them; elsewhere what was logged: the caller named another model, the prompt was too long for it, its breaker was open, it had no share in a static policy, it was on trial or new. The best of
 * them is what regret is measured against. How far the log can speak for the arm is judged by the first kind of records alone. A record that does not name its candidates counts as one in which it
 * could be chosen, unless what was chosen was certain.
 */
export const singleArm = (arm: string): Candidate => {
  const alone: Weighing = { arms: [arm], probabilities: [1] };
  return {
    name: `always ${arm}`,
    file: null,
    kind: singleArmKind,
    fingerprint: '',
    method: {
      name: 'fixed',
      why: `${arm} wherever it was one of several that could be chosen, as logged elsewhere: what that would have done with each request is known exactly`,
    },
    warnings: [],
    isPartial: true,
    weigh: (decisions) =>
      decisions.map(({ candidates, arm: logged, propensity }) => {
        if (candidates === null) return propensity < 1 ? alone : { arms: [logged], probabilities: [1], asLogged: true };
        return candidates.arms.length > 1 && candidates.arms.includes(arm)
          ? alone
          : { arms: candidates.arms, probabilities: candidates.propensities, asLogged: true };
      }),
  };
};

export const singleArmKind = 'single-arm';

/** The candidates beside single arms, each with its place among all: whose shares of the arms are not plain. */
export const policiesAmong = (candidates: readonly CandidateReport[]): readonly { readonly name: string; readonly at: number }[] =>
  candidates.flatMap(({ name, kind }, at) => (kind === singleArmKind ? [] : [{ name, at }]));

/** Each arm takes part in the control of error, and makes the intervals of all others wider. */
export const mostSingleArms = 32;
