import type { Candidate, Weighing } from './candidate.ts';

/**
 * One arm alone, wherever the logger could have chosen it; elsewhere (the caller named another model, the prompt was too long for it) what was logged. The best of them is what regret is measured against. A record that does not name its
 * candidates counts as one in which the arm could be chosen.
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
      why: `${arm} wherever it could be chosen, as logged elsewhere: what that would have done with each request is known exactly`,
    },
    warnings: [],
    weigh: (decisions) =>
      decisions.map(({ candidates }) =>
        candidates === null || candidates.arms.includes(arm) ? alone : { arms: candidates.arms, probabilities: candidates.propensities },
      ),
  };
};

export const singleArmKind = 'single-arm';

/** Each arm takes part in the control of error, and makes the intervals of all others wider. */
export const mostSingleArms = 32;
