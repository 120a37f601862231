import { Option } from 'commander';
import { usageError } from './exit-codes.ts';
import { parsePosition, positionHelp, type Position } from './position.ts';

/** A part of the log, of one tenant or all: what commands that ask ClickHouse take. */
export type PeriodOptions = { readonly from?: Position; readonly to?: Position; readonly tenant?: string };

export const fromOption = (): Option => new Option('--from <place>', `since ${positionHelp}`).argParser(parsePosition('--from'));
export const toOption = (): Option => new Option('--to <place>', `up to ${positionHelp}`).argParser(parsePosition('--to'));

/** A condition on the columns `sequence`, `time` and `tenant`, the values of its parameters, and the same in words: " since sequence 4711 for tenant support-desk". */
export type Period = { readonly where: string; readonly parameters: Readonly<Record<string, string>>; readonly inWords: string };

/** Throws a usage error for a period that ends before it begins. */
export const requireOrder = ({ from, to }: { readonly from?: Position | undefined; readonly to?: Position | undefined }): void => {
  if (from !== undefined && to !== undefined && isAfter(from, to))
    throw usageError(`expected --from to be before --to; got --from ${placeInWords(from)} and --to ${placeInWords(to)}`);
};

/** Errors: those of `requireOrder`. */
export const periodOf = ({ from, to, tenant }: PeriodOptions): Period => {
  requireOrder({ from, to });
  const conditions = [...bound('>=', from), ...bound('<=', to), ...(tenant === undefined ? [] : ['tenant = {tenant:String}'])];
  return {
    where: conditions.length === 0 ? '1' : conditions.join(' AND '),
    parameters: tenant === undefined ? {} : { tenant },
    inWords: [
      from === undefined ? '' : ` since ${placeInWords(from)}`,
      to === undefined ? '' : ` up to ${placeInWords(to)}`,
      tenant === undefined ? '' : ` for tenant ${tenant}`,
    ].join(''),
  };
};

/** A sequence and a time cannot be compared without the log: such a period may turn out to be empty. */
const isAfter = (from: Position, to: Position): boolean => {
  if (from.kind === 'sequence') return to.kind === 'sequence' && from.sequence > to.sequence;
  return to.kind === 'time' && from.timeMs > to.timeMs;
};

export const placeInWords = (place: Position): string =>
  place.kind === 'sequence' ? `sequence ${place.sequence}` : new Date(place.timeMs).toISOString();

const bound = (sign: '>=' | '<=', place: Position | undefined): readonly string[] => {
  if (place === undefined) return [];
  return [
    place.kind === 'sequence'
      ? `sequence ${sign} ${place.sequence}`
      : `time ${sign} fromUnixTimestamp64Milli(${Math.floor(place.timeMs)}, 'UTC')`,
  ];
};
