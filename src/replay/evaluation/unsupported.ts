import type { Difference, Estimate, Interval } from './report.ts';

/**
 * A part u of the candidate's choices was never the logger's: ipw counts what they bring as 0, normalised weights as the mean of the rest, models guess it. Where outcomes lie in 0..1 the value is off by u at most, and
 * intervals are wider by that on both sides, or above alone where it counts as 0; those by betting count it already, except in rejection replay, which passes over such choices. Cost and latency have no bound: nothing is claimed of them, and their estimates are those
 * of the other choices. A p value allows for none of this, and is left out.
 */
export type Unsupported = {
  readonly share: number;
  readonly isBounded: boolean;
  readonly isRejection: boolean;
  readonly countsAsZero: boolean;
};

/** Rounding leaves what is no probability. */
const negligible = 1e-9;

export const withUnsupported = <Part extends Estimate | Difference>(part: Part, unsupported: Unsupported): Part => {
  const { share, isBounded } = unsupported;
  if (share <= negligible) return part;
  const intervals = part.intervals.map((interval) => wider(interval, unsupported));
  return { ...part, intervals, ...('standardError' in part ? (isBounded ? {} : { standardError: null }) : { p: null }) };
};

/** Of a candidate of whose choices none was drawn: what spreads are the predictions of the model, or the records of the logger. Bets count what has not been seen. */
export const withoutSpread = <Part extends Estimate | Difference>(part: Part): Part => ({
  ...part,
  intervals: part.intervals.map((interval) => (interval.method === 'betting' ? interval : { ...interval, low: null, high: null })),
  ...('standardError' in part ? { standardError: null } : { p: null }),
});

const wider = (interval: Interval, { share, isBounded, isRejection, countsAsZero }: Unsupported): Interval => {
  if (!isBounded) return { ...interval, low: null, high: null };
  if (interval.method === 'betting' && !isRejection) return interval;
  const { low, high } = interval;
  return { ...interval, low: low === null ? null : low - (countsAsZero ? 0 : share), high: high === null ? null : high + share };
};
