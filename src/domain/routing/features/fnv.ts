/**
 * FNV-1a over 16-bit units (G. Fowler, L. C. Noll, K.-P. Vo; the offset and the prime of its 32-bit form), ended by the finaliser of MurmurHash3 where few bits are kept, since
 * the low bits of FNV alone are not well mixed. Signed 32-bit whole numbers throughout.
 */
export const fnvOffset = 0x811c9dc5 | 0;
const fnvPrime = 0x01000193;

/** The hash of a text and one more unit. */
export const fnvStep = (hash: number, unit: number): number => Math.imul(hash ^ unit, fnvPrime);

/** Folds a 32-bit hash into 0 .. values - 1; `values` is a power of two. */
export const bucketOf = (hash: number, values: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) & (values - 1);
};
