import type { Interval, Regret } from '../evaluation/report.ts';
import { confidenceText, endsText, rounded, scaleOf } from './figures.ts';
import { strongest } from './strongest.ts';
import { guaranteeWords } from './words.ts';

/** In a sentence: how much a request, how sure, which arm, and what it comes to. */
export const regretInWords = ({ arms, best, value, intervals }: Regret, requests: number): string => {
  const { signed } = scaleOf('reward', value === null ? [] : [value], intervals);
  const known = endsInWords(strongest(intervals), signed);
  if (value === null || best === null)
    return `${known} against the best of ${arms} single arms; the log says too little of each of them to name it`;
  const total = `${value < 0 ? '\u2212' : '+'}${rounded(Math.abs(value * requests))} over all`;
  return `${signed(value)} reward a request (${known}; ${total}) against the best of ${arms} single arms, by the estimate "${best}"`;
};

const endsInWords = (interval: Interval | null, say: (value: number) => string): string =>
  interval === null
    ? 'how far it may be off is not known'
    : `${endsText(interval, say)}, ${guaranteeWords[interval.guarantee].name}, ${confidenceText(interval.confidence)}`;
