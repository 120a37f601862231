import { hash } from 'node:crypto';

/**
 * Which logged records a learning candidate may learn from as if it had decided itself (rejection replay).
 *
 * Each record has one uniform draw, made from the seed and its id alone. The candidate's probabilities are laid one after the other with the logged arm's first, so that the draw u picks the logged arm
 * when u < e, e being the candidate's probability of it. Where the log was uniform those records are what the candidate would have seen (Li, Chu, Langford and Wang 2011, "Unbiased offline evaluation of
 * contextual-bandit-based news article recommendation algorithms"). Where it was not, arms that the log preferred would be seen too often: a record is then accepted when u < e min(1, c / p), p being the
 * logged probability of its arm, so that an arm a comes to be accepted with probability p_a e_a c / p_a = c e_a (rejection sampling; Dudik, Erhan, Langford and Li 2012, "Sample-efficient nonstationary
 * policy evaluation for contextual bandits"). c must be the same for every kind of request, or some would be seen too often; and p must not lie below it, or the record counts as `capped`: its arm is then
 * seen too seldom.
 *
 * c is the least probability that the log has given to any arm so far, in the order of the states that decisions were made from: nothing is capped, and it changes only where a new least one shows. On a log
 * with a floor of 1 % about one record in a hundred is accepted; whoever names a larger c has more of them, and says that those below it may be seen too seldom.
 */
export type Matching = {
  readonly drawOf: (id: string) => number;
  readonly match: (record: Matched) => Match;
};

export type Matched = {
  readonly draw: number;
  /** The candidate's probability of the logged arm, and the log's. */
  readonly share: number;
  readonly propensity: number;
  /** The log's probabilities of all its candidates. */
  readonly probabilities: readonly number[];
};

export type Match = { readonly matched: boolean; readonly accepted: boolean; readonly capped: boolean };

export const createMatching = ({ seed, acceptance }: { readonly seed: string; readonly acceptance: number | null }): Matching => {
  let least = 1;
  return {
    drawOf: (id) => {
      const digits = hash('sha256', `${seed} ${id}`, 'hex');
      // The 53 bits that a double can hold.
      return (Number.parseInt(digits.slice(0, 8), 16) * 2 ** 21 + (Number.parseInt(digits.slice(8, 16), 16) >>> 11)) / 2 ** 53;
    },
    match: ({ draw, share, propensity, probabilities }) => {
      for (const probability of probabilities) if (probability > 0 && probability < least) least = probability;
      const c = acceptance ?? least;
      return { matched: draw < share, accepted: draw < share * Math.min(1, c / propensity), capped: propensity < c };
    },
  };
};

/** The arm that the draw picks when the logged arm is laid first; null when the candidate would not answer at all. */
export const drawnArm = (arms: readonly string[], propensities: readonly number[], loggedArm: string, draw: number): string | null => {
  const first = arms.indexOf(loggedArm);
  let cumulative = propensities[first] ?? 0;
  if (draw < cumulative) return loggedArm;
  let last: string | null = null;
  for (const [i, arm] of arms.entries()) {
    const propensity = propensities[i] ?? 0;
    if (i === first || propensity === 0) continue;
    cumulative += propensity;
    if (draw < cumulative) return arm;
    last = arm;
  }
  // By rounding the sum may fall short of 1, and the draw lie between.
  return last ?? (first === -1 ? null : loggedArm);
};
