/**
 * Exact sums of money: a number is taken as the shortest decimal that stands for it, which is what somebody wrote into a file, and reckoned with in
 * whole numbers. 0.1 is a tenth here, not the nearest binary fraction.
 */
export type Decimal = { readonly digits: bigint; /** The value is digits / 10^scale. */ readonly scale: number };

export const decimalOf = (value: number): Decimal => {
  if (!Number.isFinite(value)) throw new RangeError(`expected a finite number, got ${value}`);
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), scale: fraction.length - Number(exponent) };
};

export const times = (decimal: Decimal, factor: number): Decimal => ({ digits: decimal.digits * BigInt(factor), scale: decimal.scale });

export const plus = (a: Decimal, b: Decimal): Decimal => {
  const scale = Math.max(a.scale, b.scale);
  return { digits: a.digits * 10n ** BigInt(scale - a.scale) + b.digits * 10n ** BigInt(scale - b.scale), scale };
};

/** The value times 10^places, rounded once, halves up. For values from 0. */
export const roundedAt = (decimal: Decimal, places: number): number => {
  const surplus = decimal.scale - places;
  if (surplus <= 0) return Number(decimal.digits * 10n ** BigInt(-surplus));
  const unit = 10n ** BigInt(surplus);
  return Number((2n * decimal.digits + unit) / (2n * unit));
};
