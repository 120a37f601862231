/**
 * p values of several tests, each raised so that the probability of even one false alarm among them stays below the level that they are held to, whatever they have to do with each other
 * (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979). Null, a test that could not be made, stays null and does not count.
 */
export const holmAdjusted = (values: readonly (number | null)[]): readonly (number | null)[] => {
  const ascending = values.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p);
  const adjusted: (number | null)[] = values.map(() => null);
  let largest = 0;
  for (const [rank, { p, index }] of ascending.entries()) {
    largest = Math.max(largest, Math.min(1, (ascending.length - rank) * p));
    adjusted[index] = largest;
  }
  return adjusted;
};
