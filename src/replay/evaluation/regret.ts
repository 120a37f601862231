import type { CandidateReport, Difference, EvaluationReport, Interval, Refusal, Regret } from './report.ts';
import { singleArmKind } from './single-arm.ts';

/**
 * What the best single arm would have earned more than was earned; null where single arms were not evaluated.
 *
 * 1. The difference of each arm lies in its own interval, all of them together with the confidence that is stated. So the largest difference, whichever arm it is of, is at least the largest lower end, and at most the largest upper
 *    end: no arm has to be picked by its estimate, which would favour those that were lucky.
 * 2. An arm that was seldom there is nearly what was logged, and its difference nearly 0, whatever it is worth: it is not compared.
 * 3. The estimate is that of the arm with the highest one, of those that the log can speak for; a little too high, as the largest of several. Where the interval says that another one is better, there is none.
 * 4. Where the intervals of the arms do not hold, that of the regret does not.
 */
export const regretOf = (
  candidates: readonly CandidateReport[],
  {
    control,
    withChoice,
    force,
  }: { readonly control: Pick<EvaluationReport['control'], 'alphaEach'>; readonly withChoice: number; readonly force: boolean },
): Regret | null => {
  const all = candidates.filter(({ kind }) => kind === singleArmKind);
  if (all.length === 0) return null;
  const arms = all.filter(({ diagnostics }) => diagnostics.records > 0 && diagnostics.records >= leastThere * withChoice);
  const counts = { arms: arms.length, seldomThere: all.length - arms.length };
  const refusals = refusalsOf(arms);
  const forced = force && refusals.length > 0;
  if (arms.length === 0 || (refusals.length > 0 && !force))
    return { ...counts, unknown: 0, best: null, value: null, refusals, forced, intervals: [] };

  const intervals = largestOf(arms.map(rewardDifference), 1 - control.alphaEach * arms.length);
  const known = arms.filter(({ verdict }) => !verdict.refusals.some(({ code }) => isOfArm(code)));
  const unknown = arms.length - known.length;
  const best = known.toSorted((a, b) => rewardDifference(b).value - rewardDifference(a).value)[0];
  const value = best === undefined ? null : rewardDifference(best).value;
  const isAnotherBetter =
    unknown > 0 && value !== null && intervals.some(({ guarantee, low }) => guarantee === 'anytime' && low !== null && low > value);
  return {
    ...{ ...counts, unknown },
    best: isAnotherBetter ? null : (best?.name ?? null),
    value: isAnotherBetter ? null : value,
    ...{ refusals, forced, intervals },
  };
};

/** Of the decisions in which there was a choice: an arm that could be chosen in fewer is not compared. */
const leastThere = 0.5;

/** That the log says little of one arm makes its interval wide, and leaves it right. */
const isOfArm = (code: Refusal['code']): boolean => code === 'overlap' || code === 'unsupported';

/** Each reason once. */
const refusalsOf = (arms: readonly CandidateReport[]): readonly Refusal[] => [
  ...new Map(arms.flatMap(({ verdict }) => verdict.refusals.filter(({ code }) => !isOfArm(code))).map((one) => [one.code, one])).values(),
];

const largestOf = (differences: readonly Difference[], confidence: number): readonly Interval[] =>
  (differences[0]?.intervals ?? []).map(({ method, guarantee }) => {
    const own = differences.map(({ intervals }) => intervals.find((one) => one.method === method));
    const lows = own.flatMap((interval) => interval?.low ?? []);
    const highs = own.flatMap((interval) => interval?.high ?? []);
    return {
      ...{ method, guarantee, confidence },
      low: lows.length === 0 ? null : Math.max(...lows),
      // Where one of several values may be without bound above, so may the largest.
      high: highs.length < own.length ? null : Math.max(...highs),
    };
  });

const rewardDifference = ({ quantities }: CandidateReport): Difference =>
  quantities.find(({ quantity }) => quantity === 'reward')?.difference ?? { value: 0, intervals: [], p: null, pAdjusted: null };
