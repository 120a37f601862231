import type { Interval } from '../evaluation/report.ts';
import { confidenceText } from './figures.ts';
import { html, type Html } from './html.ts';
import { intervalCell } from './table.ts';
import { guarantees, guaranteeWords } from './words.ts';

type Column = Pick<Interval, 'method' | 'confidence' | 'guarantee'>;

/** A column for each kind of interval that occurs, those with the strongest promise first. */
export const intervalColumns = (all: readonly Interval[]): readonly Column[] =>
  [...new Map(all.map((interval) => [keyOf(interval), interval])).values()].toSorted(
    (one, other) => guarantees.indexOf(one.guarantee) - guarantees.indexOf(other.guarantee),
  );

const keyOf = ({ method, confidence, guarantee }: Column): string => JSON.stringify([method, confidence, guarantee]);

export const intervalTitle = ({ method, confidence, guarantee }: Column): Html =>
  html`${method.replaceAll('-', ' ')}, ${confidenceText(confidence)}<br /><span class="promise ${guarantee}"
      >${guaranteeWords[guarantee].name}</span
    >`;

export const intervalCells = (
  columns: readonly Column[],
  intervals: readonly Interval[],
  say: (value: number) => string,
): readonly Html[] =>
  columns.map((column) =>
    intervalCell(
      intervals.find((interval) => keyOf(interval) === keyOf(column)),
      say,
    ),
  );
