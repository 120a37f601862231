import type { Diagnostics } from '../domain/evaluation/diagnostics.ts';
import type { Counts, Difference, Method, Verdict, Warning } from './report.ts';

/**
 * When an evaluation may conclude, and what it has to say beside its numbers.
 *
 * It refuses below an effective size of 30 records, or of 1 % of them: where a hundredth of a log decides, its estimates are those of a few records, and normal intervals too narrow (mean weight 1 and an effective share of 1 % mean
 * weights that spread ten times as far as their mean; 30 is where a normal approximation begins). It refuses above 5 % of choices that the logger could never make, of which the log says nothing: their reward could move the value by
 * up to that much, more than policies usually differ. And it refuses where the mean weight is 5 standard errors off 1: then the propensities are not those that the log was made with (by chance once in a million).
 */
export const overlapRules = { leastEffective: 30, leastEffectiveShare: 0.01, mostUnsupported: 0.05, mostWeightErrors: 5 } as const;

export const refusalsOf = (found: Diagnostics, method: Method['name']): readonly string[] => {
  const { records, effectiveSize, unsupported, weightErrors, meanWeight } = found;
  const least = Math.max(overlapRules.leastEffective, overlapRules.leastEffectiveShare * records);
  return [
    ...(effectiveSize < least
      ? [
          `the ${grouped(records)} records carry as much as ${effective(effectiveSize)}, fewer than the ${grouped(least)} that a conclusion asks for`,
        ]
      : []),
    ...(unsupported > overlapRules.mostUnsupported
      ? [
          `${percent(unsupported)} of the candidate's choices were never made by the logger, more than the ${percent(overlapRules.mostUnsupported)} that a conclusion allows`,
        ]
      : []),
    ...(method !== 'rejection-replay' && weightErrors > overlapRules.mostWeightErrors
      ? [
          `the mean weight and the unsupported share add up to ${(meanWeight + unsupported).toFixed(3)} in place of 1, ${Math.min(999, weightErrors).toFixed(0)} standard errors off: the propensities are not those that the log was made with`,
        ]
      : []),
  ];
};

export const verdictOf = (
  name: string,
  difference: Difference,
  { refusals, force }: { readonly refusals: readonly string[]; readonly force: boolean },
): Verdict => {
  const decisive = difference.intervals.find(({ guarantee }) => guarantee === 'anytime') ?? difference.intervals[0];
  const [low, high] = [decisive?.low ?? null, decisive?.high ?? null];
  const figures = `${signed(difference.value)} reward a request (${low === null || high === null ? 'no interval' : `${signed(low)} to ${signed(high)}, ${percent(decisive?.confidence ?? 0)}, at all times`})`;
  const forced = force && refusals.length > 0;
  if (refusals.length > 0 && !force)
    return { kind: 'refused', sentence: `No conclusion about ${name}: ${refusals.join('; ')}.`, refusals, forced };
  if (low !== null && low > 0)
    return { kind: 'better', sentence: `${name} is better than the policy that made the log: ${figures}.`, refusals, forced };
  if (high !== null && high < 0)
    return { kind: 'worse', sentence: `${name} is worse than the policy that made the log: ${figures}.`, refusals, forced };
  return { kind: 'cannot tell', sentence: `The log cannot tell ${name} from the policy that made it: ${figures}.`, refusals, forced };
};

export const candidateWarnings = (found: Diagnostics, method: Method['name']): readonly Warning[] => {
  const { records, effectiveSize, unsupported, weightlessShare, mostWeight } = found;
  const isRejection = method === 'rejection-replay';
  return [
    ...(effectiveSize < 0.1 * records
      ? [
          {
            code: 'few_effective',
            what: isRejection
              ? `of ${grouped(records)} records ${grouped(effectiveSize)} were accepted as if the candidate had made them`
              : `these ${grouped(records)} records carry as much as ${effective(effectiveSize)}`,
            consequence: 'a few records decide the value; take a longer period, or a logger that explores more',
          },
        ]
      : []),
    ...(unsupported > 0
      ? [
          {
            code: 'unsupported',
            what: `${percent(unsupported)} of the candidate's choices could not have been made by the logger`,
            consequence:
              'the log says nothing of them: ipw counts them as 0, models guess; intervals by betting are right if they bring 0 at the lower and 1 at the upper end',
          },
        ]
      : []),
    ...(!isRejection && mostWeight > 0.05 * records && records >= 100
      ? [
          {
            code: 'one_record_decides',
            what: `one record has the weight ${mostWeight.toPrecision(3)}, of ${grouped(records)} in all`,
            consequence: 'that record alone moves the value by more than a twentieth; compare ipw with clipped and switching estimators',
          },
        ]
      : []),
    ...(weightlessShare > 0.9 && !isRejection
      ? [
          {
            code: 'seldom_chosen',
            what: `the candidate would never choose the logged arm in ${percent(weightlessShare)} of the records`,
            consequence: 'only the others say anything of it',
          },
        ]
      : []),
  ];
};

/** Warnings about the records, whatever the candidate. */
export const recordWarnings = (given: {
  readonly counts: Counts;
  readonly policies: number;
  readonly weightsChanged: boolean;
  readonly dearestDrift: { readonly from: number; readonly to: number } | null;
}): readonly Warning[] => {
  const { counts, policies, weightsChanged, dearestDrift } = given;
  return [
    ...(counts.duplicates > 0
      ? [
          {
            code: 'duplicates',
            what: `${grouped(counts.duplicates)} records were there a second time`,
            consequence: 'they are left out: counted twice they would make intervals too narrow',
          },
        ]
      : []),
    ...(counts.censored > 0
      ? [
          {
            code: 'censored',
            what: `nothing came (yet) of ${percent(counts.censored / Math.max(1, counts.censored + counts.evaluated))} of the decisions, ${grouped(counts.censored)}: open, or broken off`,
            consequence:
              'they are left out; where some arms leave more of them than others, all values are those of the rest and may mislead',
          },
        ]
      : []),
    ...(policies > 1
      ? [
          {
            code: 'mixed_policies',
            what: `${policies} policies made the decisions`,
            consequence:
              'estimates stay right, each record has its own propensities; "the logger" is their mixture, and a difference to it is none to the policy in force: narrow the period to that one',
          },
        ]
      : []),
    ...(weightsChanged
      ? [
          {
            code: 'mixed_weights',
            what: 'rewards of the period were weighed by different weights',
            consequence: 'their mean is that of different things; give --reward to weigh all of them alike',
          },
        ]
      : []),
    ...(dearestDrift !== null
      ? [
          {
            code: 'logger_drifts',
            what: `the logger's choices went from an evenness of ${dearestDrift.from.toFixed(2)} to ${dearestDrift.to.toFixed(2)} over the period`,
            consequence:
              'it learned meanwhile: fixed-size intervals (Student, Bernstein, bootstrap) do not hold for sure; those that are valid at all times do',
          },
        ]
      : []),
  ];
};

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const effective = (size: number): string => (size < 100 ? Number(size.toPrecision(2)).toString() : grouped(size));
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;
const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`;
