import { isOutside } from '../evaluation/estimate-warnings.ts';
import { counted } from '../evaluation/sentences.ts';
import type { Interval, Regret } from '../evaluation/report.ts';
import { confidenceText, endsText, rounded, scaleOf } from './figures.ts';
import { strongest } from './strongest.ts';
import { guaranteeWords } from './words.ts';

/** In a sentence without its full stop: how much a request, how sure, which arm, what it comes to, and what was left out. */
export const regretInWords = (regret: Regret, requests: number): string => {
  const { arms, seldomThere, refusals, forced } = regret;
  const reasons = refusals.map(({ what }) => what).join('; ');
  const others =
    seldomThere === 0
      ? ''
      : `; not compared: ${counted(seldomThere, 'arm')} that could be chosen in fewer than half of the decisions with a choice`;
  if (arms === 0) return 'none is told, as no arm was one of several that could be chosen in half of the decisions with a choice';
  if (refusals.length > 0 && !forced) return `none is told: ${reasons}${others}`;
  return `${known(regret, requests)}${others}${forced ? `; told by force, although ${reasons}` : ''}`;
};

const known = ({ arms, unknown, best, value, intervals }: Regret, requests: number): string => {
  const { signed } = scaleOf('reward', value === null ? [] : [value], intervals);
  const interval = strongest(intervals);
  const against = arms === 1 ? 'the only arm compared' : `the best of ${arms} single arms`;
  const ends = interval === null ? 'not known' : endsText(interval, signed);
  const promise = interval === null ? '' : `, ${guaranteeWords[interval.guarantee].name}, ${confidenceText(interval.confidence)}`;
  if (value === null || best === null)
    return `${ends} reward a request${promise}, against ${against}; it cannot be named, as the log says too little of ${arms === 1 ? 'it' : unknown === arms ? 'all of them' : 'one that may be it'}`;
  const unsure =
    unknown === 0
      ? ''
      : `; the log says too little of ${counted(unknown, 'other arm')}: ${unknown === 1 ? 'it counts' : 'they count'} in the interval alone`;
  if (isUntrue(value, interval))
    return `${ends} reward a request${promise}, against ${against}, by the estimate "${best}", which lies outside, at ${signed(value)}: trust the interval${unsure}`;
  const total = `${value < 0 ? '\u2212' : '+'}${rounded(Math.abs(value * requests))} over all`;
  return `${signed(value)} reward a request (${ends}${promise}; ${total}) against ${against}, by the estimate "${best}"${unsure}`;
};

/** An interval around the estimate holds it always. */
const isUntrue = (value: number, interval: Interval | null): boolean => interval?.guarantee === 'anytime' && isOutside(value, interval);
