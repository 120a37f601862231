import type { QuantityName } from '../replay/evaluation/report.ts';
import { scaleByError, unitOf } from '../replay/report-page/figures.ts';

/** What stands for a standard error that cannot be known. */
const errorUnknown = '±?';

/**
 * A value and its standard error, with as many decimals as give the error two digits: those behind are chance. An error of 0 is not shown. One that cannot be known (null) is shown as `±?`, with three
 * digits of the value.
 */
export const valueWithError = (quantity: QuantityName, value: number | undefined, error: number | null): string => {
  if (value === undefined || !Number.isFinite(value)) return '';
  const { before, after } = unitOf[quantity];
  const { bare } = scaleByError(quantity, value, error);
  const minus = value < 0 && /[1-9]/.test(bare(value)) ? '-' : '';
  const behind = error === null ? ` ${errorUnknown}` : error > 0 ? ` ± ${bare(error)}` : '';
  return `${minus}${before}${value === 0 && !(error !== null && error > 0) ? '0' : bare(value)}${behind}${after.replace('\u00a0', ' ')}`;
};
