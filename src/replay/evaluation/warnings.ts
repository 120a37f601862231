import type { Diagnostics } from '../../domain/evaluation/diagnostics.ts';
import { censoredShare, clusteringOf, worstCase } from './judgement.ts';
import { quantities } from './quantities.ts';
import type { Counts, Method, QuantityReport, Warning } from './report.ts';
import { effective, grouped, percent } from './sentences.ts';

/** What to be wary of with one candidate, whatever the verdict. */
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
  readonly drift: { readonly from: number; readonly to: number } | null;
}): readonly Warning[] => {
  const { counts, policies, weightsChanged, drift } = given;
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
            what: `nothing came (yet) of ${percent(censoredShare(counts))} of the decisions, ${grouped(counts.censored)}: open, or broken off`,
            consequence: `they are in no value and no interval, which are those of the rest: ${worstCase(censoredShare(counts))}`,
          },
        ]
      : []),
    ...(clusteringOf(counts).needsClusters
      ? [
          {
            code: 'few_conversations',
            what: `the ${grouped(counts.evaluated)} records are of ${grouped(counts.clusters)} conversations`,
            consequence:
              'intervals by betting are for the requests of this period alone, and too narrow for conversations to come, which may differ; those by conversation (Student, bootstrap) count each once',
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
    ...(drift !== null
      ? [
          {
            code: 'logger_drifts',
            what: `the logger's choices went from an evenness of ${drift.from.toFixed(2)} to ${drift.to.toFixed(2)} over the period`,
            consequence:
              'it learned meanwhile: fixed-size intervals (Student, Bernstein, bootstrap) do not hold for sure; those that are valid at all times do',
          },
        ]
      : []),
  ];
};

/** An unbiased estimate may lie where no value can. */
export const rangeWarnings = (reports: readonly QuantityReport[]): readonly Warning[] => {
  const outside = reports.flatMap(({ quantity, estimates, recommended }) => {
    const value = estimates.find(({ estimator }) => estimator === recommended)?.value ?? 0;
    const isBounded = quantities.some(({ name, bounded }) => name === quantity && bounded);
    return isBounded && (value < -rounding || value > 1 + rounding) ? [`${quantity} ${beyondInWords(value)}`] : [];
  });
  return outside.length === 0
    ? []
    : [
        {
          code: 'outside_range',
          what: `estimates outside 0 to 1: ${outside.join(', ')}`,
          consequence:
            'chance, and more of it than the value has room for: read the interval, or snipw and sndr, which stay closer to the range',
        },
      ];
};

const rounding = 1e-9;

/** With so many digits that it does not look like the end of the range. */
const beyondInWords = (value: number): string =>
  value > 1 && value < 2 ? String(Number((1 + Number((value - 1).toPrecision(2))).toPrecision(12))) : value.toPrecision(3);
