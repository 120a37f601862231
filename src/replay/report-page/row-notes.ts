import { isOutside } from '../evaluation/estimate-warnings.ts';
import type { CandidateReport, Estimate, QuantityReport } from '../evaluation/report.ts';
import { strongest } from './strongest.ts';

/** The estimate that is believed. */
export const recommendedOf = ({ estimates, recommended }: QuantityReport): Estimate | undefined =>
  estimates.find(({ estimator, tunedBy }) => estimator === recommended && tunedBy === null);

/** What a reader of a candidate's figures of one quantity would stumble over, each in a sentence that goes on after the candidate's name. */
export const rowNotes = ({ diagnostics }: Pick<CandidateReport, 'diagnostics'>, of: QuantityReport): readonly string[] => {
  const estimate = recommendedOf(of);
  return [
    ...(estimate !== undefined && isOutsideItsOwn(estimate) ? [outside('the estimate')] : []),
    ...(isOutsideItsOwn(of.difference) ? [outside('the difference')] : []),
    ...(estimate !== undefined && isSpreadUnknown(of, estimate)
      ? [
          diagnostics.unsupported > 0
            ? 'how far it may be off is not known: part of its choices was never logged'
            : 'how far it may be off is not known: its records do not show how far others spread',
        ]
      : []),
  ];
};

/** Of its intervals those that hold at all times: others stand around the estimate. */
export const isOutsideItsOwn = ({ value, intervals }: Pick<Estimate, 'value' | 'intervals'>): boolean => {
  const interval = strongest(intervals);
  return interval?.guarantee === 'anytime' && isOutside(value, interval);
};

const isSpreadUnknown = ({ difference }: QuantityReport, { standardError, intervals }: Estimate): boolean =>
  standardError === null || strongest(intervals) === null || strongest(difference.intervals) === null;

const outside = (what: string): string => `${what} lies outside the interval that holds at all times; trust the interval`;
