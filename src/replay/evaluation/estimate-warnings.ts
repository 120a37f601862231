import { quantities } from './quantities.ts';
import type { Interval, QuantityName, QuantityReport, Warning } from './report.ts';
import { effective } from './sentences.ts';

/** What to be wary of with the figures themselves. */

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

/** An estimate that the interval at all times does not hold: the two do not rest on the same (the model, what the first records were predicted by), and the interval alone has a guarantee. */
export const outsideWarnings = (reports: readonly QuantityReport[]): readonly Warning[] => {
  const outside = reports.flatMap(({ quantity, estimates, recommended, difference }) => {
    const estimate = estimates.find(({ estimator }) => estimator === recommended);
    return [
      ...(estimate !== undefined && isOutside(estimate.value, atAllTimes(estimate.intervals)) ? [quantity] : []),
      ...(isOutside(difference.value, atAllTimes(difference.intervals)) ? [`difference in ${quantity}`] : []),
    ];
  });
  return outside.length === 0
    ? []
    : [
        {
          code: 'estimate_outside_interval',
          what: `estimates outside their intervals at all times: ${outside.join(', ')}`,
          consequence:
            'trust the interval: a few heavy records, or predictions made from the first ones, mislead the estimate; compare --reward-model cross-fitted',
        },
      ];
};

const atAllTimes = (intervals: readonly Interval[]): Interval | undefined => intervals.find(({ method }) => method === 'betting');

export const isOutside = (value: number, interval: Pick<Interval, 'low' | 'high'> | undefined): boolean =>
  interval !== undefined && ((interval.low !== null && value < interval.low) || (interval.high !== null && value > interval.high));

/** Fewer are no ground for a normal approximation. */
const leastRare = 30;

export const rarityWarnings = (
  found: readonly { readonly quantity: QuantityName; readonly effective: number | null }[],
): readonly Warning[] => {
  const rare = found.flatMap(({ quantity, effective: count }) =>
    count !== null && count < leastRare ? [`${quantity} on as much as ${effective(count)}`] : [],
  );
  return rare.length === 0
    ? []
    : [
        {
          code: 'rare_outcomes',
          what: `few records show the rarer outcome where the candidate would have chosen as the log did: ${rare.join(', ')}`,
          consequence:
            'intervals that read their width from the sample (Student, bootstrap, the asymptotic sequence) are far too narrow there; those by betting hold',
        },
      ];
};
