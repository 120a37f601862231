import type { Interval, QuantityName } from '../replay/evaluation/report.ts';

/** A value and its standard error, with as many decimals as give the error two digits: those behind are chance. Without an error, three digits of the value. */
export const valueWithError = (quantity: QuantityName, value: number | undefined, error: number | null): string => {
  if (value === undefined || !Number.isFinite(value)) return '';
  const { factor, before, after } = units[quantity] ?? share;
  const isKnown = error !== null && error > 0;
  const decimals = decimalsFor(isKnown ? error * factor : Math.abs(value) * factor, isKnown ? 2 : 3);
  const shown = `${(value * factor).toFixed(decimals)}${isKnown ? ` ± ${(error * factor).toFixed(decimals)}` : ''}`;
  return `${before}${shown}${after}`;
};

/** About what made the interval: half of it over the normal quantile of 95 %. */
export const errorOf = (intervals: readonly Interval[] | undefined): number | null => {
  const { low = null, high = null } = intervals?.find(({ method }) => method === 'student') ?? {};
  return low === null || high === null ? null : (high - low) / 2 / 1.96;
};

type Unit = { readonly factor: number; readonly before: string; readonly after: string };

const share: Unit = { factor: 1, before: '', after: '' };
const units: Readonly<Partial<Record<QuantityName, Unit>>> = {
  costUsd: { factor: 1, before: '$', after: '' },
  latencyMs: { factor: 1, before: '', after: ' ms' },
  failureRate: { factor: 100, before: '', after: ' %' },
};

const decimalsMost = 10;
const decimalsFor = (size: number, digits: number): number =>
  size === 0 ? 0 : Math.min(decimalsMost, Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
