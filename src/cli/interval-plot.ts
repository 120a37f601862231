import { cutTo, isUnknown, rangeOf, type Range } from '../replay/report-page/chart-range.ts';
import { endsText, scaleOf } from '../replay/report-page/figures.ts';
import { guarantees } from '../replay/report-page/words.ts';
import type { CandidateReport, Difference, Interval, QuantityName } from '../replay/evaluation/report.ts';
import { excerpt } from './terminal.ts';

type Row = { readonly name: string; readonly difference: Difference; readonly interval: Interval | null };

/**
 * The differences of all candidates from the logger in one quantity, as lines of text no wider than `columns` where that leaves room to draw. Each candidate with the interval that promises most.
 *
 *                            worse │ better
 *   cheap-first                    │   ├───●───┤    +0.029 (+0.010 to +0.047)
 *   even-split       ◀─────────────┼─●───────────▶  +0.004 (-0.220 to +0.229)
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
  const intervals = rows.flatMap(({ interval }) => (interval === null ? [] : [interval]));
  const { signed } = scaleOf(
    quantity,
    rows.map(({ difference }) => difference.value),
    intervals,
  );
  const figures = rows.map(({ difference, interval }) =>
    asciiOf(signed(difference.value) + (interval === null ? '' : ` (${endsText(interval, signed)})`)),
  );
  const names = longest(rows.map(({ name }) => name));
  const width = Math.max(leastWidth, columns - names - longest(figures) - 2 * gap.length);
  const range = rangeOf(rows.map(({ difference: { value }, interval }) => ({ value, intervals: interval === null ? [] : [interval] })));
  const lines = rows.map((row, i) => `${row.name.padEnd(names)}${gap}${drawn(row, range, width)}${gap}${figures[i] ?? ''}`);
  return [`${' '.repeat(names)}${gap}${sides(better, placeOf(0, range, width), width)}`.trimEnd(), ...lines];
};

const nameColumns = 28;
const leastWidth = 21;
const gap = '  ';
const longest = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.length));

/** Of several that promise the same the first. */
const strongest = (intervals: readonly Interval[]): Interval | null =>
  intervals.filter((interval) => !isUnknown(interval)).toSorted((one, other) => rank(one) - rank(other))[0] ?? null;
const rank = ({ guarantee }: Interval): number => guarantees.indexOf(guarantee);

const placeOf = (value: number, { low, high }: Range, width: number): number => Math.round(((value - low) / (high - low)) * (width - 1));

const drawn = ({ difference: { value }, interval }: Row, range: Range, width: number): string => {
  const cells = Array.from({ length: width }, () => ' ');
  const zero = placeOf(0, range, width);
  cells[zero] = '│';
  if (interval !== null) {
    const { from, to, goesOnLeft, goesOnRight } = cutTo(range, interval);
    const [first, last] = [placeOf(from, range, width), placeOf(to, range, width)];
    for (let place = first; place <= last; place++) cells[place] = place === zero ? '┼' : '─';
    if (first !== zero || goesOnLeft) cells[first] = goesOnLeft ? '◀' : '├';
    if (last !== zero || goesOnRight) cells[last] = goesOnRight ? '▶' : '┤';
  }
  if (value >= range.low && value <= range.high) cells[placeOf(value, range, width)] = '●';
  return cells.join('');
};

const sides = (better: 'higher' | 'lower', zero: number, width: number): string => {
  const [left, right] = better === 'higher' ? ['worse', 'better'] : ['better', 'worse'];
  // Where zero is at the border there is no room for the word, nor need.
  const before = zero > left.length ? `${left} `.padStart(zero) : ' '.repeat(zero);
  return `${before}│${width - zero > right.length + 1 ? ` ${right}` : ''}`;
};

/** Figures of a terminal are copied and searched for. */
const asciiOf = (text: string): string => text.replaceAll('\u2212', '-').replaceAll('\u00a0', ' ');
