import { InvariantError } from '../../errors.ts';

/** In one unit, whichever it is: only differences of means relative to standard deviations count. A standard deviation of 0 is a point mass. */
export type NormalParameters = { readonly mean: number; readonly sd: number };

const reach = 7;

/** Beyond these a reciprocal or a square could leave the range of doubles. */
const leastSd = 1e-100;
const largestSd = 1e100;

/** An arm that can be the largest, or several that are the same point mass. Ends and mean are relative to the mean of the narrowest contender. */
export type Contender = {
  readonly places: number[];
  readonly mean: number;
  readonly sd: number;
  readonly perSd: number;
  readonly lower: number;
  readonly upper: number;
};

/**
 * The arms that can be the largest: those that do not end below the highest of the lower ends, where all end `reach` standard deviations from their means.
 * (The chance of one that does is below 3e-12.) So all contenders contain that highest lower end. A point mass comes last, and before it those with
 * the highest upper ends come first: above any x, those that still vary are the first ones.
 */
export const contendersAmong = (arms: readonly NormalParameters[]): readonly Contender[] => {
  arms.forEach(check);
  const top = arms.reduce((highest, { mean }) => Math.max(highest, mean), -Infinity);
  const point = arms.reduce((highest, { mean, sd }) => (sd === 0 ? Math.max(highest, mean) : highest), -Infinity);
  const from = arms.reduce((highest, { mean, sd }) => Math.max(highest, mean - top - reach * sd), -Infinity);
  const canWin = ({ mean, sd }: NormalParameters): boolean => mean - top + reach * sd >= from && (sd > 0 || mean === point);
  // Far from 0, or beside an arm that is very much broader, ends are only sharp when measured from the narrowest arm.
  const narrowest = arms.reduce((least, arm) => (canWin(arm) && arm.sd < least.sd ? arm : least), { mean: 0, sd: Infinity });
  const contenders: Contender[] = [];
  arms.forEach((arm, place) => {
    if (!canWin(arm)) return;
    const same = arm.sd === 0 ? contenders.find(({ sd }) => sd === 0) : undefined;
    if (same) same.places.push(place);
    else {
      const mean = arm.mean - narrowest.mean;
      contenders.push({ places: [place], mean, sd: arm.sd, perSd: 1 / arm.sd, lower: mean - reach * arm.sd, upper: mean + reach * arm.sd });
    }
  });
  return contenders.sort((a, b) => Number(a.sd === 0) - Number(b.sd === 0) || b.upper - a.upper);
};

const check = ({ mean, sd }: NormalParameters): void => {
  if (Number.isFinite(mean) && (sd === 0 || (sd >= leastSd && sd <= largestSd))) return;
  throw new InvariantError(
    `expected a finite mean and a standard deviation of 0 or from ${leastSd} to ${largestSd}, got ${mean} and ${sd}`,
  );
};
