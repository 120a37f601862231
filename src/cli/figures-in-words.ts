import type { Difference, Estimate, QuantityName } from '../replay/evaluation/report.ts';
import { confidenceText, endsText, scaleByError, scaleOf } from '../replay/report-page/figures.ts';
import { strongest } from '../replay/report-page/strongest.ts';
import { inAscii } from './in-ascii.ts';

/** Figures of an evaluation as the terminal shows them: those of the page, digit by digit. */

export const levelOf = (alpha: number): string => inAscii(confidenceText(1 - alpha));

export const differenceInWords = (quantity: QuantityName, difference: Difference): readonly [value: string, interval: string] => {
  const { signed } = scaleOf(quantity, [difference.value], difference.intervals);
  return [inAscii(signed(difference.value)), atAllTimes(difference, signed)];
};

/** The asymptotic one holds at all times too, of many records. */
export const atAllTimes = ({ intervals }: Pick<Estimate, 'intervals'>, say: (value: number) => string): string => {
  const interval = strongest(intervals);
  if (interval === null || interval.guarantee === 'fixed-size') return 'not known';
  return `${inAscii(endsText(interval, say))}${interval.guarantee === 'asymptotic' ? ' (in the limit)' : ''}`;
};

export const valueInWords = (quantity: QuantityName, { value, standardError }: Pick<Estimate, 'value' | 'standardError'>): string =>
  Number.isFinite(value) ? inAscii(scaleByError(quantity, value, standardError).plain(value)) : '';
