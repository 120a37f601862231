import type { Interval, QuantityName } from '../evaluation/report.ts';

/** Numbers as people read them, the same on every machine. */
export type Scale = {
  readonly plain: (value: number) => string;
  /** With its sign: a difference. */ readonly signed: (value: number) => string;
};

/** What a value is multiplied by to be shown, and what stands around it, and behind a difference. */
export type Unit = { readonly factor: number; readonly before: string; readonly after: string; readonly afterDifference: string };

const share: Unit = { factor: 1, before: '', after: '', afterDifference: '' };
export const unitOf: Readonly<Record<QuantityName, Unit>> = {
  reward: share,
  success: share,
  streaming: share,
  cache: share,
  cost: share,
  costUsd: { factor: 1, before: '$', after: '', afterDifference: '' },
  latencyMs: { factor: 1, before: '', after: '\u00a0ms', afterDifference: '\u00a0ms' },
  failureRate: { factor: 100, before: '', after: '\u00a0%', afterDifference: '\u00a0points' },
};

/**
 * For values of one quantity that are read side by side: all with as many decimals as give the typical interval's width two digits. What stands behind those is chance. Where there is no interval, three
 * digits of the typical value.
 */
export const scaleOf = (quantity: QuantityName, values: readonly number[], intervals: readonly Pick<Interval, 'low' | 'high'>[]): Scale => {
  const { factor, before, after, afterDifference } = unitOf[quantity];
  const widths = intervals.flatMap(({ low, high }) => (low === null || high === null || high <= low ? [] : [high - low]));
  const sizes = values.map(Math.abs).filter((size) => size > 0);
  const decimals = widths.length > 0 ? decimalsFor(median(widths) * factor, 2) : decimalsFor(median(sizes) * factor, 3);
  const text = (sign: string, value: number, behind: string) => `${sign}${before}${fixed(Math.abs(value * factor), decimals)}${behind}`;
  const isZero = (value: number) => Number(Math.abs(value * factor).toFixed(decimals)) === 0;
  return {
    plain: (value) => text(value < 0 && !isZero(value) ? '\u2212' : '', value, after),
    signed: (value) => text(isZero(value) ? '' : value < 0 ? '\u2212' : '+', value, afterDifference),
  };
};

/** Of at least none: 1 then. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 1;

const decimalsMost = 12;
const decimalsFor = (size: number, digits: number): number =>
  Math.min(decimalsMost, Math.max(0, digits - 1 - Math.floor(Math.log10(size))));

const fixed = (value: number, decimals: number): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

export const count = (value: number): string => fixed(value, 0);

/** Three digits, for weights and the like. */
export const rounded = (value: number): string =>
  value >= 100 ? count(value) : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });

export const percent = (part: number): string => `${(100 * part).toLocaleString('en-US', { maximumSignificantDigits: 3 })}\u00a0%`;

/** 0.95 is 95 %, and 0.99995 not 100 %. */
export const confidenceText = (confidence: number): string =>
  `${Number((100 * confidence).toFixed(decimalsFor(100 * (1 - confidence), 2)))}\u00a0%`;

export const endsText = (interval: Pick<Interval, 'low' | 'high'>, say: (value: number) => string): string => {
  const { low, high } = interval;
  if (low === null) return high === null ? 'none' : `up to ${say(high)}`;
  return high === null ? `${say(low)} or more` : `${say(low)} to ${say(high)}`;
};

export const probabilityText = (p: number): string => (p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/** 2026-05-01T09:00:00.000Z as 2026-05-01 09:00:00. */
export const timeText = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
