import type { Estimate } from '../../domain/evaluation/estimate.ts';
import { ratiosOf } from '../../domain/evaluation/intervals.ts';
import { bootstrapIntervals } from '../../domain/evaluation/intervals/bootstrap.ts';
import type { Interval } from '../../domain/evaluation/intervals/interval.ts';
import type { QuantityResult } from './quantity-tally.ts';

/** Bootstrap intervals of all estimates of one candidate. Quantities whose records fall into as many groups share the draws. */
export const bootstrapAll = (
  results: readonly (QuantityResult | null)[],
  options: { readonly alpha: number; readonly seed: string; readonly resamples: number },
): ReadonlyMap<Estimate, Interval | null> => {
  const wanted = results.flatMap((result) =>
    result === null
      ? []
      : [...new Set(result.estimates.map(({ found }) => found))].map((found) => ({ found, sizes: result.tallied.groupSizes })),
  );
  const intervals = new Map<Estimate, Interval | null>();
  for (const alike of Map.groupBy(wanted, ({ sizes }) => sizes.length).values()) {
    const made = bootstrapIntervals(
      alike.map(({ found, sizes }) => ratiosOf(found, sizes)),
      options,
    );
    alike.forEach(({ found }, i) => {
      const interval = made[i] ?? null;
      intervals.set(found, interval === null ? null : { low: interval.low, high: interval.high });
    });
  }
  return intervals;
};
