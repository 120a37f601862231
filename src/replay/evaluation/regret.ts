import type { CandidateReport, Difference, EvaluationReport, Interval, Regret } from './report.ts';
import { singleArmKind } from './single-arm.ts';

/**
 * What the best single arm would have earned more than was earned; null where single arms were not evaluated.
 *
 * The difference of each arm lies in its own interval, all of them together with the confidence that is stated. So the largest difference, whichever arm it is of, is at least the largest lower end, and at most the largest upper end:
 * no arm has to be picked by its estimate, which would favour those that were lucky. The estimate itself is that of the arm with the highest one, a little too high for that reason; arms that the log says too little of are left out of
 * it, and count in the interval all the same.
 */
export const regretOf = (
  candidates: readonly CandidateReport[],
  { alphaEach }: Pick<EvaluationReport['control'], 'alphaEach'>,
): Regret | null => {
  const arms = candidates.filter(({ kind }) => kind === singleArmKind);
  if (arms.length === 0) return null;
  const known = arms.filter(({ verdict }) => verdict.kind !== 'refused');
  const best = known.toSorted((a, b) => rewardDifference(b).value - rewardDifference(a).value)[0];
  const differences = arms.map(rewardDifference);
  const confidence = 1 - alphaEach * arms.length;
  return {
    arms: arms.length,
    best: best?.name ?? null,
    value: best === undefined ? null : rewardDifference(best).value,
    intervals: (differences[0]?.intervals ?? []).map(({ method, guarantee }) => ({
      ...{ method, guarantee, confidence },
      ...largestOf(differences.map(({ intervals }) => intervals.find((one) => one.method === method) ?? notKnown)),
    })),
  };
};

type Ends = Pick<Interval, 'low' | 'high'>;
const notKnown: Ends = { low: null, high: null };

/** Where one of several values may be without bound above, so may the largest. */
const largestOf = (all: readonly Ends[]): Ends => {
  const lows = all.flatMap(({ low }) => low ?? []);
  const highs = all.flatMap(({ high }) => high ?? []);
  return { low: lows.length === 0 ? null : Math.max(...lows), high: highs.length < all.length ? null : Math.max(...highs) };
};

const rewardDifference = ({ quantities }: CandidateReport): Difference =>
  quantities.find(({ quantity }) => quantity === 'reward')?.difference ?? { value: 0, intervals: [], p: null, pAdjusted: null };
