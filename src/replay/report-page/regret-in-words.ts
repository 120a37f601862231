import { counted } from '../evaluation/sentences.ts';
import type { Interval, Regret } from '../evaluation/report.ts';
import { confidenceText, endsText, rounded, scaleOf } from './figures.ts';
import { strongest } from './strongest.ts';
import { guaranteeWords } from './words.ts';

/** In a sentence without its full stop: how much a request, how sure, which arm, what it comes to, and what was left out. */
export const regretInWords = ({ arms, seldomThere, unknown, best, value, refusals, intervals }: Regret, requests: number): string => {
  const others =
    seldomThere === 0
      ? ''
      : `; not compared: ${counted(seldomThere, 'arm')} that could be chosen in fewer than half of the decisions with a choice`;
  if (refusals.length > 0) return `none is told: ${refusals.map(({ what }) => what).join('; ')}${others}`;
  if (arms === 0) return `none is told, as no arm could be chosen in half of the decisions with a choice`;
  const { signed } = scaleOf('reward', value === null ? [] : [value], intervals);
  const known = endsInWords(strongest(intervals), signed);
  const against = arms === 1 ? 'the only arm compared' : `the best of ${arms} single arms`;
  if (value === null || best === null)
    return `${known} reward a request against ${against}, none of which can be named, as the log says too little of ${unknown === arms ? 'each' : 'one that may be it'}${others}`;
  const total = `${value < 0 ? '\u2212' : '+'}${rounded(Math.abs(value * requests))} over all`;
  const unsure =
    unknown === 0
      ? ''
      : `; the log says too little of ${counted(unknown, 'other arm')} to estimate what ${unknown === 1 ? 'it is' : 'they are'} worth: ${unknown === 1 ? 'it counts' : 'they count'} in the interval alone`;
  return `${signed(value)} reward a request (${known}; ${total}) against ${against}, by the estimate "${best}"${unsure}${others}`;
};

const endsInWords = (interval: Interval | null, say: (value: number) => string): string =>
  interval === null
    ? 'how far it may be off is not known'
    : `${endsText(interval, say)}, ${guaranteeWords[interval.guarantee].name}, ${confidenceText(interval.confidence)}`;
