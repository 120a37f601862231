import { isOutside } from '../replay/evaluation/estimate-warnings.ts';
import { isUnknown } from '../replay/report-page/chart-range.ts';

/** A point and its interval on one line each, all on one axis: what a table of numbers hides is seen at once. */
export type PlottedEstimate = { readonly label: string; readonly value: number; readonly low: number | null; readonly high: number | null };

const labelWidthMost = 24;
const leastWidth = 20;

/** Lines of text of at most `width` characters: the axis, then a line for each interval. A point is `*`, and `o` where it lies outside its interval; without an interval it stands alone. */
export const estimatePlot = (
  rows: readonly PlottedEstimate[],
  { width, format }: { readonly width: number; readonly format: (value: number) => string },
): readonly string[] => {
  const values = [...rows.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value])].filter(Number.isFinite);
  if (values.length === 0) return [];
  const [least, most] = rangeOf(values);
  const labelWidth = Math.min(labelWidthMost, Math.max(...rows.map(({ label }) => label.length)));
  const columns = Math.max(leastWidth, width - labelWidth - 2);
  const columnOf = (value: number): number =>
    Math.min(columns - 1, Math.max(0, Math.round(((value - least) / (most - least)) * (columns - 1))));
  const [left, right] = [format(least), format(most)];
  const axis = `${left}${right.padStart(Math.max(1, columns - left.length))}`;
  return [
    `${' '.repeat(labelWidth)}  ${axis}`,
    ...rows.map(({ label, value, low, high }) => {
      const line = Array.from({ length: columns }, () => ' ');
      if (!isUnknown({ low, high })) {
        const [from, to] = [columnOf(low ?? least), columnOf(high ?? most)];
        for (let column = from; column <= to; column++) line[column] = '-';
        // An interval without an end on a side runs to the edge.
        line[from] = low === null ? '<' : '|';
        line[to] = high === null ? '>' : '|';
      }
      if (Number.isFinite(value)) line[columnOf(value)] = isOutside(value, { low, high }) ? 'o' : '*';
      return `${label.slice(0, labelWidth).padEnd(labelWidth)}  ${line.join('').trimEnd()}`;
    }),
  ];
};

const rangeOf = (values: readonly number[]): readonly [number, number] => {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = most > least ? (most - least) / 20 : Math.max(1e-9, Math.abs(most) / 20);
  return [least - margin, most + margin];
};
