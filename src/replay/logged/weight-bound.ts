import type { Warning } from '../evaluation/report.ts';

/**
 * What no weight can exceed, as far as it was known before any record was. `claimed`: what the floors of the policies that decided promise, 1 / floor; null where they promise nothing. `largest`: the same where the records keep to
 * it, else null: intervals are then made without it, and are wider.
 */
export type WeightBound = { readonly claimed: number | null; readonly largest: number | null };

const rounding = 1e-9;

export const weightBound = (claimed: number | null, leastPropensity: number): WeightBound => ({
  claimed,
  largest: claimed !== null && leastPropensity * claimed >= 1 - rounding ? claimed : null,
});

/** For whoever counts on the bound. */
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
