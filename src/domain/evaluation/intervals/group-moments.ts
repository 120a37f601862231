/* eslint-disable @typescript-eslint/no-non-null-assertion -- all columns have an entry for each group */
import type { Estimate } from '../estimate.ts';
import type { Moments } from '../moments.ts';
import type { Tallied } from '../tally.ts';

/**
 * Moments of an estimate as a mean over G groups, so that records of one group may depend on each other (cluster-robust variance: Liang and Zeger 1986; linearised ratios: Cochran, "Sampling techniques", 1977, section 6.3).
 * Group g changes the estimate by
 *
 *   z_g = G (plain_g - m size_g) / records  +  G (weighted_g - v weight_g) / weights,   m = plain / records,  v = weighted / weights
 *
 * to first order, and the variance of the estimate is that of the z_g, divided by G. Where each record is its own group they are the influences of the records, whose moments are known without groups. Groups that agree but for rounding have a variance of 0.
 */
export const groupMoments = (
  estimate: Pick<Estimate, 'value' | 'sums' | 'influenceVariance'>,
  { groupSizes, records, spread }: Pick<Tallied, 'groupSizes' | 'records' | 'spread'>,
): Moments =>
  spread === 'records'
    ? moments(estimate.value, records, estimate.influenceVariance)
    : moments(estimate.value, groupSizes.length, varianceOfGroups(estimate, groupSizes, records));

const moments = (mean: number, count: number, variance: number): Moments => ({
  count,
  mean,
  variance: variance <= (rounding * mean) ** 2 ? 0 : variance,
});

const varianceOfGroups = ({ sums }: Pick<Estimate, 'sums'>, groupSizes: Float64Array, records: number): number => {
  const groups = groupSizes.length;
  const changes = residuals(sums.plain, groupSizes, records, groups);
  if (sums.normalised !== null) {
    const { weighted, weights } = sums.normalised;
    residuals(weighted, weights, total(weights), groups).forEach((change, g) => {
      changes[g]! += change;
    });
  }
  return changes.reduce((sum, change) => sum + change * change, 0) / groups;
};

const rounding = 1e-12;

const residuals = (numerator: Float64Array, denominator: Float64Array, whole: number, groups: number): Float64Array => {
  const ratio = total(numerator) / whole;
  return numerator.map((sum, g) => (groups * (sum - ratio * denominator[g]!)) / whole);
};

const total = (column: Float64Array): number => column.reduce((sum, value) => sum + value, 0);
