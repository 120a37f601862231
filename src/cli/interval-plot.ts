import { isOutside } from '../replay/evaluation/estimate-warnings.ts';
import { cutTo, rangeOf, type Range } from '../replay/report-page/chart-range.ts';
import { confidenceText, endsText, scaleOf } from '../replay/report-page/figures.ts';
import { strongest } from '../replay/report-page/strongest.ts';
import type { CandidateReport, Difference, Interval, QuantityName } from '../replay/evaluation/report.ts';
import { inAscii } from './in-ascii.ts';
import { excerpt } from './terminal.ts';

type Row = { readonly name: string; readonly difference: Difference; readonly interval: Interval | null };

/**
 * The differences of all candidates from the logger in one quantity, as lines of text no wider than `columns` where that leaves room to draw. Each candidate with the interval that promises most.
 *
 *                            worse │ better         difference (98.3 %)
 *   cheap-first                    │   ├───●───┤    +0.029 (+0.010 to +0.047)
 *   even-split       ◀─────────────┼─●───────────▶  +0.004 (-0.220 to +0.229)
 *
 * What is not zero is never drawn on the line at zero. A value outside its interval is hollow: ○.
 */
export const differencePlot = (candidates: readonly CandidateReport[], quantity: QuantityName, columns: number): readonly string[] => {
  const rows = candidates.flatMap((candidate) =>
    candidate.quantities
      .filter((of) => of.quantity === quantity)
      .map(({ difference }): Row => ({
        name: excerpt(candidate.name, nameColumns),
        difference,
        interval: strongest(difference.intervals),
      })),
  );
  if (rows.length === 0) return [];
  const better = candidates.flatMap(({ quantities }) => quantities).find((of) => of.quantity === quantity)?.better ?? 'higher';
  const figures = rows.map(({ difference, interval }) => {
    const { signed } = scaleOf(quantity, [difference.value], difference.intervals);
    return inAscii(`${signed(difference.value)} (${interval === null ? 'not known' : endsText(interval, signed)})`);
  });
  const confidence = rows.find(({ interval }) => interval !== null)?.interval?.confidence;
  const head = confidence === undefined ? 'difference' : inAscii(`difference (${confidenceText(confidence)})`);
  const names = longest(rows.map(({ name }) => name));
  const width = Math.max(leastWidth, columns - names - longest([head, ...figures]) - 2 * gap.length);
  const range = rangeOf(rows.map(({ difference: { value }, interval }) => ({ value, intervals: interval === null ? [] : [interval] })));
  const lines = rows.map((row, i) => `${row.name.padEnd(names)}${gap}${drawn(row, range, width)}${gap}${figures[i] ?? ''}`);
  return [`${' '.repeat(names)}${gap}${sides(better, placeOf(0, range, width), width).padEnd(width)}${gap}${head}`, ...lines];
};

const nameColumns = 28;
const leastWidth = 21;
const gap = '  ';
const longest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));

const placeOf = (value: number, { low, high }: Range, width: number): number => Math.round(((value - low) / (high - low)) * (width - 1));

/** As above, but what is not zero stands on its own side of it: the side decides. */
const sidePlaceOf = (value: number, range: Range, width: number): number => {
  const zero = placeOf(0, range, width);
  const place = placeOf(value, range, width);
  return place === zero ? Math.min(width - 1, Math.max(0, zero + Math.sign(value))) : place;
};

const drawn = ({ difference: { value }, interval }: Row, range: Range, width: number): string => {
  const cells = Array.from({ length: width }, () => ' ');
  const zero = placeOf(0, range, width);
  cells[zero] = '│';
  if (interval !== null) {
    const { from, to, goesOnLeft, goesOnRight } = cutTo(range, interval);
    const [first, last] = [sidePlaceOf(from, range, width), sidePlaceOf(to, range, width)];
    for (let place = first; place <= last; place++) cells[place] = place === zero ? '┼' : '─';
    if (first !== zero || goesOnLeft) cells[first] = goesOnLeft ? '◀' : '├';
    if (last !== zero || goesOnRight) cells[last] = goesOnRight ? '▶' : '┤';
  }
  if (value >= range.low && value <= range.high)
    cells[sidePlaceOf(value, range, width)] = interval !== null && isOutside(value, interval) ? '○' : '●';
  return cells.join('');
};

const sides = (better: 'higher' | 'lower', zero: number, width: number): string => {
  const [left, right] = better === 'higher' ? ['worse', 'better'] : ['better', 'worse'];
  // Where zero is at the border there is no room for the word, nor need.
  const before = zero > left.length ? `${left} `.padStart(zero) : ' '.repeat(zero);
  return `${before}│${width - zero > right.length + 1 ? ` ${right}` : ''}`;
};
