import type { Diagnostics } from '../../domain/evaluation/diagnostics.ts';
import { isOutside } from './estimate-warnings.ts';
import type { Counts, Difference, Interval, Method, Refusal, Verdict } from './report.ts';
import { counted, effective, grouped, percent } from './sentences.ts';

/**
 * When an evaluation may conclude, and what it has to say beside its numbers.
 *
 * It refuses below an effective size of 30 records, or of 1 % of them: where a hundredth of a log decides, its estimates are those of a few records, and normal intervals too narrow (mean weight 1 and an effective share of 1 % mean
 * weights that spread ten times as far as their mean; 30 is where a normal approximation begins). It refuses above 5 % of choices that the logger could never make, of which the log says nothing: their reward could move the value by
 * up to that much, more than policies usually differ; and above 5 % of decisions of which nothing came, for the same reason. It refuses where the mean weight is 5 standard errors off 1: then the propensities are not those that the log
 * was made with (by chance once in a million), or the records that are missing would have told.
 *
 * The interval by betting is for the mean over the requests of the period, given what came before each. Where fewer than half as many conversations as records made them, that mean hangs on which conversations came: then a conclusion asks
 * for Student's interval by conversation too, and for 30 of them at least. A few very long conversations count as few, however many short ones there are: conversations are counted by their effective number, as records are.
 */
const overlapRules = {
  leastEffective: 30,
  leastEffectiveShare: 0.01,
  mostUnsupported: 0.05,
  mostWeightErrors: 5,
  mostCensored: 0.05,
  leastClusters: 30,
} as const;

/** What a conclusion stands on besides the weights. */
export type Grounds = {
  readonly clustering: Clustering;
  /** Share of the decisions of which nothing came. */
  readonly censored: number;
  /** Whether each record with a choice says what else could have been chosen. */
  readonly namesCandidates: boolean;
};

export type Clustering = {
  readonly clusters: number;
  readonly records: number;
  /** As many of equal size would be as even (`Tallied`). */
  readonly effective: number;
  /** Several records belong to one cluster, beyond what counting many clusters may be wrong by. */
  readonly isClustered: boolean;
  /** Fewer than half as many clusters as records. */
  readonly needsClusters: boolean;
};

export const clusteringOf = ({ clusters, evaluated }: Counts, effectiveClusters: number): Clustering => ({
  clusters,
  records: evaluated,
  effective: effectiveClusters,
  isClustered: clusters < 0.99 * evaluated,
  needsClusters: Math.min(clusters, effectiveClusters) < 0.5 * evaluated,
});

/** How many conversations there are, and as how many they count where they are of very different length. */
export const conversationsInWords = ({ clusters, effective: count }: Clustering): string =>
  `${counted(clusters, 'conversation')}${count < 0.5 * clusters ? `, which count as ${effective(count)}, as a few are very long` : ''}`;

export const censoredShare = ({ censored, evaluated }: Counts): number => censored / Math.max(1, censored + evaluated);

/** `found`: of the records in which the candidate has a say. `choices`: the share of what the candidate would have chosen of which nothing came. */
export const refusalsOf = (
  found: Diagnostics,
  method: Method['name'],
  { clustering, censored, namesCandidates }: Grounds,
  choices: number,
): readonly Refusal[] => {
  const { unsupported } = found;
  const overlap = overlapRefusal(found);
  return [
    ...(overlap === null ? [] : [{ code: 'overlap', what: overlap } as const]),
    ...when(
      unsupported > overlapRules.mostUnsupported,
      'unsupported',
      `${percent(unsupported)} of the candidate's choices could not have been made by the logger, more than the ${percent(overlapRules.mostUnsupported)} that a conclusion allows`,
    ),
    ...when(
      clustering.needsClusters && Math.min(clustering.clusters, clustering.effective) < overlapRules.leastClusters,
      'conversations',
      `the ${counted(clustering.records, 'record')} are of ${conversationsInWords(clustering)}, fewer than the ${overlapRules.leastClusters} that a conclusion asks for`,
    ),
    ...when(
      censored > overlapRules.mostCensored,
      'censored',
      `nothing came of ${percent(censored)} of the decisions, more than the ${percent(overlapRules.mostCensored)} that a conclusion allows: ${worstCase(censored)}`,
    ),
    ...when(
      choices > overlapRules.mostCensored && censored <= overlapRules.mostCensored,
      'censored',
      `nothing came of ${percent(choices)} of what the candidate would have chosen, more than the ${percent(overlapRules.mostCensored)} that a conclusion allows: ${worstCase(choices)}`,
    ),
    ...(method === 'rejection-replay' ? [] : weightRefusals(found, { censored, namesCandidates })),
  ];
};

const when = (isSo: boolean, code: Refusal['code'], what: string): readonly Refusal[] => (isSo ? [{ code, what }] : []);

const overlapRefusal = ({ records, effectiveSize }: Diagnostics): string | null => {
  const least = Math.max(overlapRules.leastEffective, overlapRules.leastEffectiveShare * records);
  if (records === 0) return 'in no record was it one of several arms that could be chosen';
  if (effectiveSize === 0) return `in none of ${counted(records, 'record')} was an arm drawn that the candidate would choose`;
  return effectiveSize < least
    ? `the ${counted(records, 'record')} ${records === 1 ? 'carries' : 'carry'} as much as ${effective(effectiveSize)}, fewer than the ${grouped(least)} that a conclusion asks for`
    : null;
};

/** Where all weights are alike nothing says how far they spread, and the part of the candidate that was not drawn is judged as what could not be. */
const weightRefusals = (
  { weightErrors, meanWeight, unsupported, effectiveSize }: Diagnostics,
  { censored, namesCandidates }: Pick<Grounds, 'censored' | 'namesCandidates'>,
): readonly Refusal[] => {
  const sum = meanWeight + unsupported;
  const causes = [
    ...(censored > 0 ? [`the records of which nothing came (${percent(censored)}) are missing from some arms more than from others`] : []),
    ...(namesCandidates ? [] : ['some arms could not always be drawn, which a log does not show that names no candidates']),
    'the propensities are not those that the log was made with',
  ];
  const cause = causes.join(', or ');
  if (Number.isFinite(weightErrors))
    return when(
      weightErrors > overlapRules.mostWeightErrors,
      'weights',
      `the mean weight and the unsupported share add up to ${sum.toFixed(3)} in place of 1, ${Math.min(999, weightErrors).toFixed(0)} standard errors off: ${cause}`,
    );
  return when(
    effectiveSize > 0 && Math.abs(sum - 1) > overlapRules.mostUnsupported,
    'weights',
    `every weight is ${meanWeight.toFixed(3)}, where their mean should be ${(1 - unsupported).toFixed(3)}: some arm was never drawn, or ${cause}`,
  );
};

/** What the missing could make of a value. */
export const worstCase = (censored: number): string =>
  `were all of them worth 0, or all 1, a value could shift by up to ${censored.toFixed(3)}, and by more where they are of arms that the candidate favours`;

export const verdictOf = (
  name: string,
  difference: Difference,
  { refusals, force, clustering }: { readonly refusals: readonly Refusal[]; readonly force: boolean; readonly clustering: Clustering },
): Verdict => {
  const decisive = difference.intervals.find(({ guarantee }) => guarantee === 'anytime') ?? difference.intervals[0];
  const byCluster = clustering.needsClusters ? (difference.intervals.find(({ method }) => method === 'student') ?? null) : null;
  const needed = clustering.needsClusters ? [decisive, byCluster] : [decisive];
  const outside = isOutside(difference.value, decisive)
    ? 'an estimate that lies outside of its interval, which alone is to be trusted: '
    : '';
  const figures = `${signed(difference.value)} reward a request (${outside}${endsOf(decisive)}, ${percent(decisive?.confidence ?? 0)}, at all times, for the requests of this period${
    clustering.needsClusters ? `; by conversation (${conversationsInWords(clustering)}) ${endsOf(byCluster)}: both must leave zero out` : ''
  })`;
  const forced = force && refusals.length > 0;
  if (refusals.length > 0 && !force)
    return { kind: 'refused', sentence: `No conclusion about ${name}: ${refusals.map(({ what }) => what).join('; ')}.`, refusals, forced };
  if (needed.every((one) => (one?.low ?? -1) > 0))
    return { kind: 'better', sentence: `${name} is better than the policy that made the log: ${figures}.`, refusals, forced };
  if (needed.every((one) => (one?.high ?? 1) < 0))
    return { kind: 'worse', sentence: `${name} is worse than the policy that made the log: ${figures}.`, refusals, forced };
  return { kind: 'cannot tell', sentence: `The log cannot tell ${name} from the policy that made it: ${figures}.`, refusals, forced };
};

const endsOf = (interval: Interval | null | undefined): string =>
  interval === null || interval === undefined || interval.low === null || interval.high === null
    ? 'no interval'
    : `${signed(interval.low)} to ${signed(interval.high)}`;

/** Small differences keep the digits that matter. */
const signed = (value: number): string => `${value < 0 ? '-' : '+'}${digitsOf(Math.abs(value))}`;
const digitsOf = (size: number): string => (size === 0 || size >= 0.001 ? size.toFixed(4) : Number(size.toPrecision(2)).toString());
