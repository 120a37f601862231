/**
 * Quantile by linear interpolation between the two nearest ranks (type 7 of Hyndman and Fan, 1996; the default of R and NumPy). `q` in 0..1.
 */
export const quantile = (values: readonly number[] | Float64Array, q: number): number => {
  if (values.length === 0) throw new RangeError('expected at least one value, got none');
  if (!(q >= 0 && q <= 1)) throw new RangeError(`expected a quantile from 0 to 1, got ${q}`);
  const sorted = Float64Array.from(values).sort();
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  return low + (high - low) * (position - below);
};

export const median = (values: readonly number[] | Float64Array): number => quantile(values, 0.5);

/** Digits that a measurement on a shared machine deserves. */
export const rounded = (value: number, digits = 4): number => Number(value.toPrecision(digits));
