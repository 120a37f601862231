import { Option } from 'commander';
import { parsePosition, positionHelp, type Position } from './position.ts';

/** A part of the log, of one tenant or all: what commands that ask ClickHouse take. */
export type PeriodOptions = { readonly from?: Position; readonly to?: Position; readonly tenant?: string };

export const fromOption = (): Option => new Option('--from <place>', `since ${positionHelp}`).argParser(parsePosition('--from'));
export const toOption = (): Option => new Option('--to <place>', `up to ${positionHelp}`).argParser(parsePosition('--to'));

/** A condition on the columns `sequence`, `time` and `tenant`, and the values of its parameters. */
export type Period = { readonly where: string; readonly parameters: Readonly<Record<string, string>> };

export const periodOf = ({ from, to, tenant }: PeriodOptions): Period => {
  const conditions = [...bound('>=', from), ...bound('<=', to), ...(tenant === undefined ? [] : ['tenant = {tenant:String}'])];
  return {
    where: conditions.length === 0 ? '1' : conditions.join(' AND '),
    parameters: tenant === undefined ? {} : { tenant },
  };
};

const bound = (sign: '>=' | '<=', place: Position | undefined): readonly string[] => {
  if (place === undefined) return [];
  return [
    place.kind === 'sequence'
      ? `sequence ${sign} ${place.sequence}`
      : `time ${sign} fromUnixTimestamp64Milli(${Math.floor(place.timeMs)}, 'UTC')`,
  ];
};
