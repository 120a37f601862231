import { InvariantError } from '../../errors.ts';
import type { Columns, ListColumn } from '../../projections/arrow-columns.ts';
import type { FeatureColumns } from '../feature-columns.ts';
import { aliasOf, numberNames, textNames, type NumberName, type TextName } from './brief-sql.ts';

/** The columns of a page of rows, see brief-sql.ts. */
export type BriefPage = {
  readonly rows: number;
  readonly numbers: Readonly<Record<NumberName, Float64Array>>;
  readonly texts: Readonly<Record<TextName, readonly string[]>>;
  readonly features: FeatureColumns;
  /** Of the arms of a decision. */
  readonly propensities: ListColumn;
};

export const briefPage = (columns: Columns): BriefPage => {
  const numbers = byName(numberNames, (name) => columns.numbers(aliasOf(name)));
  const texts = byName(textNames, (name) => columns.texts(aliasOf(name)));
  return { rows: columns.rows, numbers, texts, features: { ...numbers, ...texts }, propensities: columns.lists(aliasOf('propensities')) };
};

const byName = <Name extends string, Column>(names: readonly Name[], column: (name: Name) => Column): Readonly<Record<Name, Column>> =>
  Object.fromEntries(names.map((name) => [name, column(name)])) as Record<Name, Column>;

export const at = <Value>(column: ArrayLike<Value>, row: number): Value => {
  const value = column[row];
  if (value === undefined) throw new InvariantError(`a page of events has a column that ends before row ${row}`);
  return value;
};
