/* eslint-disable @typescript-eslint/no-non-null-assertion -- all indices run within arrays of one length, and these are hot loops */
/**
 * Bets that the mean of a stream of outcomes under the candidate is larger than v, for all v at once: the wealth that they have earned is the evidence against v, and the lower bound is the v below which
 * it passes a threshold.
 *
 *   pseudo-outcome   Z_t = w_t (r_t - k_t) + k_t (1 - u_t)     E[Z_t | past] = v_t or less; with w_t = e_t / p_t, r_t in 0..1, u_t the unsupported probability of the candidate
 *   wealth of bet c  prod of (1 + c Z_t) / (1 + c v)           that is 1 + b (Z_t - v), with b = c / (1 + c v) in 0..1/v
 *   wealth           W(v) = sum over c of prior(c) exp(sum of ln(1 + c Z_t) - n ln(1 + c v))
 *
 * A product of factors that are 0 or more and at most 1 in the mean, given the past, exceeds 1 / error at any time with probability at most `error` (Ville 1939), and so does a mixture of them. W falls in v: the
 * bound is the root of W(v) = 1 / error. Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024), and for weighted outcomes
 * Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference for contextual bandits", ACM/IMS Journal of Data Science 1 (2024).
 *
 * 1. Bets that stay the same, on a grid, mixed, in place of one bet that follows the past: what was earned is then one number for each c, and v needs no grid. It also allows for values that change:
 *    ln(1 + c v) is concave, so that the product of the (1 + c v_t) is at most (1 + c mean of v_t)^n, and the bound holds for the mean of v_1 ... v_n, whatever the contexts did.
 * 2. k_t, a control variate (the weights' mean is known: 1 - u), may only look back. It makes the noise of the weights cancel, and allows Z_t below 0; 1 + c Z_t must stay above 0 for the largest
 *    weight that can come: c k_t <= stake / limit_t. The limit may be another one for each record, as long as it is known before the draw. Where none is known k_t is 0.
 * 3. The k that leaves the least variance is m, the slope of w r on w. A bet does not want the least variance, but to grow: what a heavy record takes when it fails, ln(1 - c limit k), counts more than what it gives. With x = c limit, an
 *    action of that weight that earns 1 with probability m, and little besides, the mean of ln(1 + c Z) is largest where m / (1 + x - x k) + (1 - m) / (1 - x k) = 1, so that
 *      k = m / D,  D = s - t / D,  s = 1 + x, t = m x        near m for light records, near m / x for heavy ones
 *    D is taken as s - t / (s - t / (s - t / s)), which is above it, by 4 % where m is .9 and x is 1, and costs no root. Where x is below a half, k = m (1 - x (1 - m)) is as good, and Z is linear in c.
 */
export type Wealth = {
  /** Takes in one record. `outcome` 0 to 1; `limit`: what its weight cannot exceed, whatever had been drawn. Infinity: not known. */
  readonly take: (weight: number, outcome: number, unsupported: number, limit: number) => void;
  /** Of the mean of w r. Holds at all times together with probability 1 - error. From `least`, where it is no more than that, to 1. */
  readonly lowerBound: (error: number, least: number) => number;
  /** The same of the mean of w (1 - r). */
  readonly lowerBoundOfRest: (error: number, least: number) => number;
};

/** Bets on r and on 1 - r, side by side: they have the weights in common. */
export const openWealth = (): Wealth => {
  /** ln(1 + c Z) added up for each bet, of all records but those that wait. */
  const earned = new Float64Array(bets.length);
  const earnedOfRest = new Float64Array(bets.length);
  /** Of each record that waits: w r and its m, w (1 - r) and its m, 1 - u - w, limit, and what c k may come to. */
  const plains = new Float64Array(foldEvery);
  const controls = new Float64Array(foldEvery);
  const plainsOfRest = new Float64Array(foldEvery);
  const controlsOfRest = new Float64Array(foldEvery);
  const slopes = new Float64Array(foldEvery);
  const limits = new Float64Array(foldEvery);
  const rooms = new Float64Array(foldEvery);
  /** And for bets that it is light for, of both sides: a and b of Z = a - b c. */
  const levels = new Float64Array(foldEvery);
  const bends = new Float64Array(foldEvery);
  const levelsOfRest = new Float64Array(foldEvery);
  const bendsOfRest = new Float64Array(foldEvery);
  let records = 0;
  let waiting = 0;
  let nextLook = firstLook;
  /** Bets before this one have been given up: they are the largest. */
  let first = 0;
  // Covariance of w r, that of w (1 - r), and variance of the regressions on w around its mean 1: the k that leaves the least variance. Starts at 1/2, as if from one record. An array, as a number that a closure changes is made anew each time.
  const regression = Float64Array.of(0.5, 0.5, 1);

  /** One logarithm of a product in place of one for each record. */
  const fold = (): void => {
    let furthest = 0;
    for (let i = 0; i < waiting; i++) furthest = Math.max(furthest, limits[i]!);
    for (let j = first; j < bets.length; j++) {
      if (bets[j]! * furthest < light) earnLightly(j);
      else earn(j);
    }
    waiting = 0;
    if (records < nextLook) return;
    nextLook = records * looksGrow;
    giveUp();
  };

  /** Where all that wait are light for bet j: nearly always, once large bets are given up. */
  const earnLightly = (j: number): void => {
    const bet = bets[j]!;
    let factor = 1;
    let factorOfRest = 1;
    for (let i = 0; i < waiting; i++) {
      factor *= 1 + bet * (levels[i]! - bends[i]! * bet);
      factorOfRest *= 1 + bet * (levelsOfRest[i]! - bendsOfRest[i]! * bet);
    }
    earned[j]! += Math.log(factor);
    earnedOfRest[j]! += Math.log(factorOfRest);
  };

  const earn = (j: number): void => {
    const bet = bets[j]!;
    let factor = 1;
    let factorOfRest = 1;
    for (let i = 0; i < waiting; i++) {
      const most = bet * limits[i]!;
      if (most < light) {
        factor *= 1 + bet * (levels[i]! - bends[i]! * bet);
        factorOfRest *= 1 + bet * (levelsOfRest[i]! - bendsOfRest[i]! * bet);
        continue;
      }
      const m = controls[i]!;
      const mOfRest = controlsOfRest[i]!;
      const slope = slopes[i]!;
      const room = rooms[i]!;
      const sum = 1 + most;
      const square = sum * sum;
      const part = m * most;
      const partOfRest = mOfRest * most;
      const below = square * (square - 3 * part) + part * part;
      const belowOfRest = square * (square - 3 * partOfRest) + partOfRest * partOfRest;
      // One division for both.
      const scale = (bet * sum) / (below * belowOfRest);
      const staked = m * (square - 2 * part) * belowOfRest * scale;
      const stakedOfRest = mOfRest * (square - 2 * partOfRest) * below * scale;
      factor *= 1 + bet * plains[i]! + slope * Math.min(staked, room);
      factorOfRest *= 1 + bet * plainsOfRest[i]! + slope * Math.min(stakedOfRest, room);
    }
    earned[j]! += Math.log(factor);
    earnedOfRest[j]! += Math.log(factorOfRest);
  };

  const exponents = new Float64Array(bets.length);
  const logWealth = (of: Float64Array, v: number): number => {
    let most = -Infinity;
    for (let j = first; j < bets.length; j++) {
      exponents[j] = logPrior[j]! + of[j]! - records * Math.log1p(bets[j]! * v);
      most = Math.max(most, exponents[j]!);
    }
    let sum = 0;
    for (let j = first; j < bets.length; j++) sum += Math.exp(exponents[j]! - most);
    return most + Math.log(sum);
  };

  /** The v from `least` to 1 at which W comes down to the threshold; `least` where it is below from there on. */
  const root = (of: Float64Array, threshold: number, least: number): number => {
    let low = least;
    let high = 1;
    if (logWealth(of, low) < threshold) return least;
    for (let step = 0; step < bisections; step++) {
      const middle = (low + high) / 2;
      if (logWealth(of, middle) < threshold) high = middle;
      else low = middle;
    }
    return low;
  };

  /** Large bets pay for a few records and lose on many. Those that hold next to nothing on either side, against the v in question, are left out: less wealth is a bound all the same, and time is saved. */
  const giveUp = (): void => {
    first = Math.min(firstWorthIt(earned), firstWorthIt(earnedOfRest));
  };
  const firstWorthIt = (of: Float64Array): number => {
    logWealth(of, root(of, inQuestion, 0));
    let found = first;
    while (found < bets.length - 1 && exponents[found]! < nothing) found++;
    return found;
  };

  const bound = (of: Float64Array, error: number, least: number): number => {
    fold();
    return root(of, -Math.log(error), least);
  };
  return {
    take: (given, outcome, unsupported, limit) => {
      const isKnown = limit <= manageable;
      // Less than it weighs is a bound all the same (k is 0 there), and keeps products finite.
      const weight = Math.min(given, manageable);
      const earning = weight * outcome;
      const rest = weight * (1 - outcome);
      if (weight > usual) fold();
      plains[waiting] = earning;
      plainsOfRest[waiting] = rest;
      const slope = 1 - unsupported - weight;
      const variance = regression[2]!;
      const m = isKnown ? Math.min(1, Math.max(0, regression[0]! / variance)) : 0;
      const mOfRest = isKnown ? Math.min(1, Math.max(0, regression[1]! / variance)) : 0;
      slopes[waiting] = slope;
      controls[waiting] = m;
      controlsOfRest[waiting] = mOfRest;
      // Where the weight is what it had to be there is nothing to control.
      const reach = isKnown && slope !== 0 ? limit : 0;
      limits[waiting] = reach;
      rooms[waiting] = reach > 0 ? stake / reach : 0;
      levels[waiting] = earning + slope * m;
      bends[waiting] = isKnown ? slope * m * (1 - m) * limit : 0;
      levelsOfRest[waiting] = rest + slope * mOfRest;
      bendsOfRest[waiting] = isKnown ? slope * mOfRest * (1 - mOfRest) * limit : 0;
      const excess = weight - 1;
      regression[0]! += excess * earning;
      regression[1]! += excess * rest;
      regression[2] = variance + excess * excess;
      records++;
      if (++waiting === foldEvery || weight > usual) fold();
    },
    lowerBound: (error, least) => bound(earned, error, least),
    lowerBoundOfRest: (error, least) => bound(earnedOfRest, error, least),
  };
};

/**
 * 64, 32, ... 6e-5. The best bet is about sqrt(2 ln(1 / error) / (n variance of Z)): this reaches from ten records that are all 1 to ten million whose weights go into the hundreds. Between two that differ by the factor 2
 * at most a ninth of the exponent is lost.
 */
const bets = Float64Array.from({ length: 21 }, (_, j) => 64 / 2 ** j);

/** Heaviest where n times variance is some thousands, with a tail so long that no bet is given up: Cauchy's distribution of ln(c). */
const logPrior = ((): Float64Array => {
  const prior = bets.map((bet) => 1 / (1 + (Math.log(bet / 0.05) / 2) ** 2));
  const total = prior.reduce((sum, weight) => sum + weight, 0);
  return prior.map((weight) => Math.log(weight / total));
})();

/** Below this x a record is light: c k stays below the stake, too. */
const light = 0.5;

/** Of the wealth, at most, is lost to one record, should m be wrong. */
const stake = 0.8;

/** Factors of at most 1 + 64 usual and at least 1 - stake, so many of them, neither overflow nor vanish; one of 64 manageable is added by itself. */
const foldEvery = 32;
const usual = 1e6;
const manageable = 1e30;

const bisections = 50;

/** Records at the first look at which bets to give up, and how many times as many at the next; logarithms of a wealth that makes v doubtful, and of what is next to nothing. */
const firstLook = 2_048;
const looksGrow = 1.125;
const inQuestion = Math.log(20);
const nothing = -50;
