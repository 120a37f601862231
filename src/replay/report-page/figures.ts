import { normalQuantile } from '../../domain/routing/normal-distribution.ts';
import type { Interval, QuantityName } from '../evaluation/report.ts';

/** Numbers as people read them, the same on every machine. */
export type Scale = {
  readonly plain: (value: number) => string;
  /** With its sign: a difference. */ readonly signed: (value: number) => string;
  /** Its size alone, without sign and unit. */ readonly bare: (value: number) => string;
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

type Ends = Pick<Interval, 'low' | 'high'>;

/**
 * For the figures of one row, which are of one quantity: with as many decimals as give the typical interval's width two digits. What stands behind those is chance. Where there is no interval, three
 * digits of the typical value. Rows do not share a scale: one candidate that is hardly known would take the digits of all others.
 */
export const scaleOf = (quantity: QuantityName, values: readonly number[], intervals: readonly Ends[]): Scale => {
  const widths = intervals.flatMap(({ low, high }) => (low === null || high === null || high <= low ? [] : [high - low]));
  const value = median(values.map(Math.abs).filter(isSize));
  return widths.length > 0 ? scaleBy(quantity, value, median(widths)) : scaleBy(quantity, value, null);
};

/** For a value and its standard error: as many decimals as give the error two digits. Without an error, three digits of the value. */
export const scaleByError = (quantity: QuantityName, value: number, error: number | null): Scale =>
  scaleBy(quantity, isSize(Math.abs(value)) ? Math.abs(value) : 1, error !== null && isSize(error) ? error : null);

/** The standard error that Student's interval was made from, nearly: half of it over the normal quantile. Null: it has none. */
export const errorOf = (intervals: readonly Interval[] | undefined): number | null => {
  const student = intervals?.find(({ method }) => method === 'student');
  if (student === undefined || student.low === null || student.high === null) return null;
  return (student.high - student.low) / 2 / normalQuantile((1 + student.confidence) / 2);
};

const isSize = (size: number): boolean => size > 0 && Number.isFinite(size);

const valueDigits = 3;
const noiseDigits = 2;

/** `noise`: what chance moves the value by, if known. */
const scaleBy = (quantity: QuantityName, value: number, noise: number | null): Scale => {
  const { factor, before, after, afterDifference } = unitOf[quantity];
  const byValue = decimalsFor(value * factor, valueDigits);
  const byNoise = noise === null ? byValue : decimalsFor(noise * factor, noiseDigits);
  // Costs are compared with each other, as they were paid for the same requests: some digits of them, however far they spread.
  const decimals = quantity === 'costUsd' ? Math.min(byNoise + 2, Math.max(byNoise, byValue)) : byNoise;
  const bare = (size: number) => sizeText(Math.abs(size * factor), decimals);
  const sign = (of: number) => (isNothing(of * factor, decimals) ? '' : of < 0 ? '\u2212' : '+');
  return {
    bare,
    plain: (of) => `${of < 0 ? sign(of) : ''}${before}${bare(of)}${after}`,
    signed: (of) => `${sign(of)}${before}${bare(of)}${afterDifference}`,
  };
};

/** So many decimals behind the others are remainders of binary fractions. */
const remainderDecimals = 10;
const isNothing = (value: number, decimals: number): boolean => Math.abs(value) < 10 ** -(decimals + remainderDecimals);

/** Which side of zero an end lies on decides: what is not 0 is never shown as 0, but with two digits of its own. */
const sizeText = (size: number, decimals: number): string => {
  const shown = fixed(size, decimals);
  if (/[1-9]/.test(shown) || isNothing(size, decimals)) return shown;
  const own = 1 - Math.floor(Math.log10(size));
  return own > decimals + 4 ? size.toExponential(0) : fixed(size, own);
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

export const endsText = (interval: Ends, say: (value: number) => string): string => {
  const { low, high } = interval;
  if (low === null) return high === null ? 'not known' : `up to ${say(high)}`;
  return high === null ? `${say(low)} or more` : `${say(low)} to ${say(high)}`;
};

export const probabilityText = (p: number): string => (p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/** 2026-05-01T09:00:00.000Z as 2026-05-01 09:00:00. */
export const timeText = (iso: string): string => iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
