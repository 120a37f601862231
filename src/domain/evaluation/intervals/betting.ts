import { InvariantError } from '../../../errors.ts';
import type { Sample } from '../sample.ts';
import type { Interval } from './interval.ts';
import { openWealth } from './wealth.ts';

/**
 * A confidence sequence for the value of the candidate by betting (wealth.ts, with formula and sources): not asymptotic, valid at all times together, and valid while the logger learns. All that it asks for is
 * that outcomes lie in a known range and that the logged probabilities are those that the logger drew with: then the weights are right in the mean, given the past.
 *
 *   low   the lower bound of the mean of w r                      r: the outcome, moved to 0..1
 *   high  1 - the lower bound of the mean of w (1 - r)            as E[w] = 1
 *
 * 1. Records come in the order of the log. No independence is needed, of conversations neither: the interval after n records is for the mean, over these n, of the candidate's value given what had gone before.
 * 2. What the candidate does where the logger could not follow (`unsupported`) counts 0 on both sides: `low` is right even if those actions yield the worst outcome, `high` even if they yield the best. Nothing has to be added.
 * 3. What no weight can exceed makes intervals narrower, the upper end of rare outcomes and the lower end of common ones most of all: `weightLimit` of the sample, for each record, where the log holds the probabilities of all actions, and
 *    `largestWeight` for all of them, known before the log was (the largest probability of the candidate over the floor of the logger). Without either weights are unbounded, and whatever has not been seen may still weigh much.
 * 4. `constantValue`: the value is taken to be the same at every record (contexts alike through the whole log). Then all intervals so far hold together, and their intersection is returned, looked at whenever the log has grown
 *    by 1/64; where the logger learns, its early, more even choices say more than the later ones, and that is kept.
 * 5. A model of outcomes has no part: predictions learnt from later records would look at the present one.
 */
export type BettingOptions = {
  readonly alpha: number;
  /** What no outcome can lie outside of; 0 to 1 unless told. */
  readonly outcomes?: Interval;
  readonly largestWeight?: number;
  readonly constantValue?: boolean;
};

export type BettingSequence = {
  /** Throws InvariantError at an outcome out of range, at probabilities that are none, and at a weight above its limit. */
  readonly add: (sample: Sample) => void;
  /** Within the range of outcomes. Null: no value agrees with the records, as the weights' mean is too far from 1 for logged probabilities that are right (up to a chance of alpha). */
  readonly interval: () => Interval | null;
};

export const openBettingSequence = ({
  alpha,
  outcomes = { low: 0, high: 1 },
  largestWeight = Infinity,
  constantValue = false,
}: BettingOptions): BettingSequence => {
  if (!(alpha > 0 && alpha < 1)) throw new InvariantError(`expected an error probability between 0 and 1, got ${alpha}`);
  if (!(largestWeight >= 1))
    throw new InvariantError(`expected a largest weight of 1 or more, as the mean of weights is 1; got ${largestWeight}`);
  const range = outcomes.high - outcomes.low;
  if (!(range > 0 && range < Infinity))
    throw new InvariantError(`expected outcomes in a finite range, got ${outcomes.low} to ${outcomes.high}`);
  const wealth = openWealth();
  let records = 0;
  let nextLook = 1;
  /** Lower bounds of the value and of 1 - value. */
  let [least, leastRest] = [0, 0];

  const look = (): void => {
    least = wealth.lowerBound(alpha / 2, constantValue ? least : 0);
    leastRest = wealth.lowerBoundOfRest(alpha / 2, constantValue ? leastRest : 0);
  };

  return {
    add: ({ size, outcome, logged, candidate, unsupported, weightLimit }) => {
      for (let i = 0; i < size; i++) {
        const r = ((outcome[i] ?? NaN) - outcomes.low) / range;
        const p = logged[i] ?? NaN;
        const e = candidate[i] ?? NaN;
        const u = unsupported[i] ?? NaN;
        const limit = Math.min(weightLimit[i] ?? NaN, largestWeight);
        const weight = e / p;
        if (!(r >= 0 && r <= 1 && p > 0 && p <= 1 && e >= 0 && u >= 0 && u <= 1 && weight <= limit * rounding))
          throw new InvariantError(faultOf(records, { r, p, e, u, limit }));
        wealth.take(weight, r, u, limit);
        records++;
        if (!constantValue || records < nextLook) continue;
        look();
        nextLook = Math.max(records + 1, Math.ceil((records * 65) / 64));
      }
    },
    interval: () => {
      look();
      return least + leastRest <= 1 ? { low: outcomes.low + range * least, high: outcomes.high - range * leastRest } : null;
    },
  };
};

const rounding = 1 + 1e-9;

type Checked = { readonly r: number; readonly p: number; readonly e: number; readonly u: number; readonly limit: number };

const faultOf = (index: number, { r, p, e, u, limit }: Checked): string =>
  `record ${index}: expected an outcome within the range, here as 0 to 1, a logged probability above 0 and at most 1, the candidate's and the unsupported ones from 0 to 1, and a weight of at most ${limit}; ` +
  `got outcome ${r}, probabilities ${p} (logged), ${e} (candidate), ${u} (unsupported), weight ${e / p}`;
