import type { Diagnostics } from '../../domain/evaluation/diagnostics.ts';
import type { WeightBound } from '../logged/weight-bound.ts';
import { censoredShare, conversationsInWords, worstCase, type Clustering } from './judgement.ts';
import type { Counts, Method, Warning } from './report.ts';
import { counted, effective, grouped, percent } from './sentences.ts';

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
              ? `of ${counted(records, 'record')} ${grouped(effectiveSize)} were accepted as if the candidate had made them`
              : `${records === 1 ? 'this one record carries' : `these ${grouped(records)} records carry`} as much as ${effective(effectiveSize)}`,
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
              'the log says nothing of them: ipw counts them as 0, models guess; intervals are right if they bring 0 at the lower and 1 at the upper end; what they cost and take is unknown, and cost and latency have no interval',
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
  readonly answeredFromCache: number;
  readonly policies: number;
  readonly weightsChanged: boolean;
  readonly drift: { readonly from: number; readonly to: number } | null;
  readonly clustering: Clustering;
  readonly isInOrder: boolean;
  /** Whether the model predicts each record from those before it. */
  readonly looksBack: boolean;
}): readonly Warning[] => {
  const { counts, answeredFromCache, policies, weightsChanged, drift, clustering, isInOrder, looksBack } = given;
  return [
    ...(isInOrder
      ? []
      : [
          {
            code: 'out_of_order',
            what: 'the records do not come in the order of time',
            consequence: `${looksBack ? 'the model, which predicts from the past, looks at later records: --reward-model cross-fitted does not; ' : ''}where the logger learned, intervals at all times hold for records in their order alone; nothing is told of parts of the period`,
          },
        ]),
    ...(counts.duplicates > 0
      ? [
          {
            code: 'duplicates',
            what: `${counted(counts.duplicates, 'record')} ${counts.duplicates === 1 ? 'was' : 'were'} there a second time`,
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
    ...(cachedShare(counts, answeredFromCache) > notableCached
      ? [
          {
            code: 'cached',
            what: `${percent(cachedShare(counts, answeredFromCache))} of the requests of the period, ${grouped(answeredFromCache)}, were answered from the cache`,
            consequence:
              'there was no decision about them, and they are in no value: a candidate would fill the cache with answers of its own, which this log cannot show',
          },
        ]
      : []),
    ...(clustering.needsClusters
      ? [
          {
            code: 'few_conversations',
            what: `the ${counted(counts.evaluated, 'record')} are of ${conversationsInWords(clustering)}`,
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
              'it learned meanwhile, was changed, or trials of new arms ended: if it learned, fixed-size intervals (Student, Bernstein, bootstrap) do not hold for sure; those that are valid at all times do',
          },
        ]
      : []),
  ];
};

/** A tenth of the requests can make or take as much as candidates usually differ by. */
const notableCached = 0.1;
const cachedShare = ({ read, duplicates }: Counts, fromCache: number): number => fromCache / Math.max(1, fromCache + read - duplicates);

/** Decisions of which nothing came are of some arms more than of others: `choices` as the candidate would have had them, `logged` in the log. */
export const censoredWarnings = (choices: number, logged: number): readonly Warning[] =>
  choices > 0.01 && choices > 1.5 * logged
    ? [
        {
          code: 'censored_choices',
          what: `nothing came of ${percent(choices)} of what the candidate would have chosen, and of ${percent(logged)} of the decisions of the log`,
          consequence: `what is missing is of the arms that it favours; ${worstCase(choices)}`,
        },
      ]
    : [];

/** Where the records do not keep to the bound that the floors promise. */
export const lostBound = ({ claimed, largest }: WeightBound, leastPropensity: number): readonly Warning[] =>
  claimed === null || largest !== null
    ? []
    : [
        {
          code: 'bound_lost',
          what: `the floors in force promise no probability below ${(1 / claimed).toPrecision(3)}, and one of ${leastPropensity.toPrecision(3)} was logged`,
          consequence: 'intervals are made without that bound, and are wider',
        },
      ];
