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
 *    weight that can come: c k_t <= stake / largestWeight. Where no largest weight is known k_t is 0.
 */
export type Wealth = {
  /** Takes in one record. `outcome` 0 to 1. */
  readonly take: (weight: number, outcome: number, unsupported: number) => void;
  /** Holds at all times together with probability 1 - error. From `least`, where it is no more than that, to 1. */
  readonly lowerBound: (error: number, least: number) => number;
};

export const openWealth = (largestWeight: number): Wealth => {
  const control = new Float64Array(bets.length);
  if (largestWeight <= manageable) for (const [j, bet] of bets.entries()) control[j] = stake / (bet * largestWeight);
  /** ln(1 + c Z) added up for each bet, of all records but those that wait. */
  const earned = new Float64Array(bets.length);
  /** Of each record that waits: w r, 1 - u - w, k, and Z with that k. */
  const plains = new Float64Array(foldEvery);
  const slopes = new Float64Array(foldEvery);
  const controls = new Float64Array(foldEvery);
  const pseudo = new Float64Array(foldEvery);
  let records = 0;
  let waiting = 0;
  // Covariance and variance of the regression of w r on w around its mean 1: the k that leaves the least variance. Starts at 1/2, as if from one record. An array, as a number that a closure changes is made anew each time.
  const regression = Float64Array.of(0.5, 1);

  /** One logarithm of a product in place of one for each record. */
  const fold = (): void => {
    let [least, most] = [1, 0];
    for (let i = 0; i < waiting; i++) {
      const k = controls[i]!;
      if (k < least) least = k;
      if (k > most) most = k;
    }
    for (let j = 0; j < bets.length; j++) earned[j]! += Math.log(product(bets[j]!, control[j]!, least, most));
    waiting = 0;
  };

  /** Of 1 + c Z over the records that wait. Their k lie between `least` and `most`, so that nearly always either all of them may stand or none. */
  const product = (bet: number, limit: number, least: number, most: number): number => {
    let factor = 1;
    if (limit >= most) for (let i = 0; i < waiting; i++) factor *= 1 + bet * pseudo[i]!;
    else if (limit <= least) for (let i = 0; i < waiting; i++) factor *= 1 + bet * (plains[i]! + slopes[i]! * limit);
    else for (let i = 0; i < waiting; i++) factor *= 1 + bet * (plains[i]! + slopes[i]! * Math.min(controls[i]!, limit));
    return factor;
  };

  const logWealth = (v: number): number => {
    let most = -Infinity;
    for (let j = 0; j < bets.length; j++) {
      exponents[j] = logPrior[j]! + earned[j]! - records * Math.log1p(bets[j]! * v);
      most = Math.max(most, exponents[j]!);
    }
    let sum = 0;
    for (let j = 0; j < bets.length; j++) sum += Math.exp(exponents[j]! - most);
    return most + Math.log(sum);
  };
  const exponents = new Float64Array(bets.length);

  return {
    take: (given, outcome, unsupported) => {
      // Less than it weighs is a bound all the same (k is 0 there), and keeps products finite.
      const weight = Math.min(given, manageable);
      const plain = weight * outcome;
      if (weight > usual) fold();
      const slope = 1 - unsupported - weight;
      const k = Math.min(1, Math.max(0, regression[0]! / regression[1]!));
      plains[waiting] = plain;
      slopes[waiting] = slope;
      controls[waiting] = k;
      pseudo[waiting] = plain + slope * k;
      const excess = weight - 1;
      regression[0]! += excess * plain;
      regression[1]! += excess * excess;
      records++;
      if (++waiting === foldEvery || weight > usual) fold();
    },
    lowerBound: (error, least) => {
      fold();
      const threshold = -Math.log(error);
      let low = least;
      let high = 1;
      if (logWealth(low) < threshold) return least;
      for (let step = 0; step < bisections; step++) {
        const middle = (low + high) / 2;
        if (logWealth(middle) < threshold) high = middle;
        else low = middle;
      }
      return low;
    },
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

/** Of the wealth, at most, is lost to one record. */
const stake = 0.8;

/** Factors of at most 1 + 64 usual and at least 1 - stake, so many of them, neither overflow nor vanish; one of 64 manageable is added by itself. */
const foldEvery = 32;
const usual = 1e6;
const manageable = 1e30;

const bisections = 50;
