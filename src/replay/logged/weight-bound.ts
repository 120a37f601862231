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
