import type { Tuning } from './report.ts';

/** Numbers as sentences of a report hold them. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
/** One record, 2 records. */
export const counted = (count: number, thing: string): string => `${grouped(count)} ${thing}${Math.round(count) === 1 ? '' : 's'}`;
/** The first of some names, and how many more there are. */
export const listed = (names: readonly (string | number)[], most = 8): string =>
  names.length > most ? `${names.slice(0, most).join(', ')} and ${grouped(names.length - most)} more` : names.join(', ');
export const effective = (size: number): string => (size < 100 ? Number(size.toPrecision(2)).toString() : grouped(size));
export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

export const tuningInWords = ({ family, rule, lambda }: Tuning): string => `${family} by ${rule}, lambda ${lambda ?? 'infinite'}`;
